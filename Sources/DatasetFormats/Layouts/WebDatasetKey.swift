/// How WebDataset splits a file's path: the key ends at the first dot of the base name, the rest says what it holds.
enum WebDatasetKey {
    static func parts(_ path: EntryPath) -> (stem: String, kind: String) {
        let name = path.components.last ?? ""
        guard let dot = name.firstIndex(of: ".") else { return (path.name, "") }
        let folder = path.components.dropLast().map { $0 + "/" }.joined()
        return (folder + name[..<dot], name[name.index(after: dot)...].lowercased())
    }

    /// `png` of `v1.000.png`.
    static func lastExtension(_ kind: String) -> String {
        kind.lastIndex(of: ".").map { String(kind[kind.index(after: $0)...]) } ?? kind
    }
}
