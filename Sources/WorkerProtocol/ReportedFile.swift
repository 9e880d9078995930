import Foundation
import Support

/// A file that a worker says it made, open for reading.
///
/// The worker may have been taken over by what it read, and name whatever it likes: what counts is a regular file with a
/// plain name in the folder that it was given, reached through no link.
public struct ReportedFile: ~Copyable {
    public let descriptor: Int32
    public let size: Int

    /// - Throws: `Problem` `artifact-not-readable`.
    public init(_ name: String, in directory: String) throws {
        guard Self.isPlainName(name) else { throw Self.refused(name, "not a plain file name") }
        let descriptor = open(directory + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.refused(name, String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Self.refused(name, "not a regular file")
        }
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    static func isPlainName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name != "." && name != ".." && !name.utf8.contains(0x2F)
            && name.isPlain
    }

    /// Gives the content in pieces, which are good until the next one.
    public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count == 0 { return }
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.refused("", "read: \(String(cString: strerror(errno)))")
            }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    private static func refused(_ name: String, _ why: String) -> Problem {
        Problem(
            .internal, code: "artifact-not-readable", title: "A result file cannot be read",
            detail: "\(String(name.prefix(255)).inOneLine): \(why)")
    }
}
