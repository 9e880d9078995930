import Foundation
import Support

/// File operations of backups, each durable or verified as its name says.
enum Folder {
    static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Problem(
                .internal, code: "file-system", title: "A file operation failed",
                detail: "mkdir of \(path): \(error.localizedDescription)")
        }
        try protect(path, isFolder: true)
    }

    /// Its owner's alone, whatever the umask, and whoever made it.
    static func protect(_ path: String, isFolder: Bool = false) throws {
        guard chmod(path, isFolder ? 0o700 : 0o600) == 0 else { throw FileProblem.of("chmod", path) }
    }

    /// An empty file of its owner's alone, for others to write into.
    static func makeFile(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileProblem.of("open", path) }
        close(descriptor)
        try protect(path)
    }

    /// - Throws: `Problem` with the code, when something is there.
    static func makeEmpty(_ path: String, code: String) throws {
        try make(path)
        guard try FileManager.default.contentsOfDirectory(atPath: path).isEmpty else {
            throw Problem(
                .conflict, code: code, title: "The folder is not empty", detail: path,
                fix: "Name a folder that is not there yet.")
        }
    }

    /// None there is no error.
    static func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    static func syncTree(_ path: String) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            try DurableFile.synchronise(path + "/" + name)
        }
        try DurableFile.synchronise(path)
    }

    static func write(_ data: Data, to path: String) throws {
        guard
            FileManager.default.createFile(
                atPath: path, contents: data, attributes: [.posixPermissions: 0o600])
        else { throw FileProblem.of("write", path) }
        try DurableFile.synchronise(path)
    }

    /// Copies a regular file, not what a link leads to.
    /// - Returns: the SHA-256 of what was copied, in lower-case hexadecimal.
    static func copy(_ source: String, to target: String) throws -> String {
        let from = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else { throw FileProblem.of("open", source) }
        defer { close(from) }
        var status = stat()
        guard fstat(from, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileProblem.of("open", source, EINVAL)
        }
        let to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard to >= 0 else { throw FileProblem.of("open", target) }
        try protect(target)
        defer { close(to) }
        var hash = Digest(.sha256)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(from, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileProblem.of("read", source) }
            if count == 0 { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hash.update(piece)
            try DurableFile.writeAll(to, piece, path: target)
        }
        return hash.bytes.hexadecimal
    }
}
