import Foundation

enum LoadedLibraries {
    /// Absolute paths of the shared objects that are mapped now, without the program itself.
    static func paths() -> Set<String> {
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return [] }
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var paths: Set<String> = []
        for line in maps.split(separator: "\n") {
            // start-end permissions offset device inode path
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1].contains("x") else { continue }
            let path = fields[5].trimmingCharacters(in: .whitespaces)
            if path.hasPrefix("/"), path != program { paths.insert(path) }
        }
        return paths
    }
}
