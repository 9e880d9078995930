import Foundation

enum LoadedLibraries {
    /// Absolute paths of the shared objects that are mapped now, without the program itself.
    static func paths() -> Set<String> {
        let maps = text(of: "/proc/self/maps")
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

    /// To the end: the kernel gives a page at a time, and a size of 0 before.
    private static func text(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
