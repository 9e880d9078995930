/// How WebDataset splits a file's path: the key ends at the first dot of the base name, the rest says what it holds.
/// Files of one key in two archives are two samples.
enum WebDatasetKey {
    static func parts(_ path: EntryPath) -> (stem: String, kind: String) {
        let name = path.components.last ?? ""
        guard let dot = name.firstIndex(of: ".") else { return (path.fullName, "") }
        let folder = path.components.dropLast().map { $0 + "/" }.joined()
        return (path.container + folder + name[..<dot], name[name.index(after: dot)...].lowercased())
    }

    /// `png` of `v1.000.png`.
    static func lastExtension(_ kind: String) -> String {
        kind.lastIndex(of: ".").map { String(kind[kind.index(after: $0)...]) } ?? kind
    }
}
