import Foundation
import Support

/// How a file answers a request's conditional and range fields (RFC 9110, sections 13 and 14).
enum FileReply: Equatable {
    case full
    /// 206 with one range: its first byte and its length.
    case part(offset: UInt64, length: UInt64)
    case notModified
    case preconditionFailed
    case unsatisfiable

    /// - Parameters:
    ///   - size: the file's size in bytes.
    ///   - etag: the bare entity tag, compared strongly except in If-None-Match.
    static func decide(_ head: HTTPRequestHead, size: UInt64, etag: String?) -> FileReply {
        let tag = etag.map { "\"\($0)\"" }
        let match = head.headers.list(.ifMatch)
        if !match.isEmpty, !match.contains("*"), !match.contains(where: { $0 == tag }) {
            return .preconditionFailed
        }
        if head.headers.list(.ifNoneMatch).contains(where: { $0 == "*" || weak($0) == tag }) {
            return .notModified
        }
        // Ranges are defined for GET alone, and If-Range asks for the whole file when it changed.
        guard head.method == .get, let range = head.headers.first(.range),
            head.headers[values: .range].count == 1,
            head.headers.first(.ifRange).map({ $0.trimmingBlanks == tag }) ?? true
        else { return .full }
        return decide(range: range, size: size)
    }

    private static func weak(_ tag: String) -> String {
        tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
    }

    /// One range is served. Several, or a field that is not understood, are answered with the whole file,
    /// as the standard allows: several ranges would make a small request cost a large answer.
    private static func decide(range: String, size: UInt64) -> FileReply {
        let parts = range.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].trimmingBlanks.lowercased() == "bytes" else { return .full }
        let bounds = parts[1].trimmingBlanks.split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, bounds.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { return .full }
        // A number too large for 64 bits lies past every file's end.
        let first = bounds[0].isEmpty ? nil : UInt64(bounds[0]) ?? .max
        let last = bounds[1].isEmpty ? nil : UInt64(bounds[1]) ?? .max
        switch (first, last) {
        case (let first?, let last?) where last < first: return .full
        case (let first?, let last):
            guard first < size else { return .unsatisfiable }
            return .part(offset: first, length: min(last ?? .max, size - 1) - first + 1)
        case (nil, let suffix?):
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            let length = min(suffix, size)
            return .part(offset: size - length, length: length)
        case (nil, nil): return .full
        }
    }
}

/// A regular file, open for reading.
struct OpenFile {
    var descriptor: Int32
    var size: UInt64

    /// - Throws: `Problem` (internal) when the path is not a readable regular file.
    init(path: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let size = UInt64(exactly: status.st_size)
        else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw Problem(
                .internal, code: "artifact-unreadable", title: "A stored file cannot be read",
                detail: "opening it for the download failed: \(reason)")
        }
        self.size = size
    }
}
