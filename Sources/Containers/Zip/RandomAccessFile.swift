import Foundation
import Support

// bounded in this file: a range is compared with the size of the file before it is read.

/// A regular file, open for reading at any offset. Reads are `pread`s, so a file that shrinks meanwhile
/// gives an error and not a signal.
public final class RandomAccessFile: Sendable {
    /// Closes the file when the last part of it that is read from is gone.
    private final class Descriptor: Sendable {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }

    public let path: String
    /// Bytes, when the file was opened.
    public let size: Int
    private let descriptor: Descriptor
    /// Where this part of the file begins.
    private let base: Int

    /// - Throws: `Problem` `file-not-found` where there is no readable regular file.
    public init(path: String) throws {
        self.path = path
        func missing(_ reason: String) -> Problem {
            Problem(
                .notFound, code: "file-not-found", title: "There is no such file",
                detail: "\((path as NSString).lastPathComponent): \(reason)",
                fix: "Name a file that is there and that you may read.")
        }
        // Not blocking: to open a FIFO must not wait for its writer.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { throw missing(String(cString: strerror(errno))) }
        descriptor = Descriptor(number)
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw missing("not a regular file")
        }
        size = Int(widened: status.st_size)
        base = 0
    }

    private init(_ whole: RandomAccessFile, _ range: Range<Int>) {
        path = whole.path
        descriptor = whole.descriptor
        base = whole.base + range.lowerBound
        size = range.count
    }

    /// A part of the file, read as a file by itself.
    /// - Throws: `Problem` `file-unreadable` where the range is not wholly inside the file.
    public func slice(_ range: Range<Int>) throws -> RandomAccessFile {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw Self.unreadable(path, "bytes \(range) are outside the file of \(size) bytes")
        }
        return RandomAccessFile(self, range)
    }

    /// Fills `buffer` from `offset`.
    /// - Throws: `Problem` `file-unreadable` when the range is not wholly inside the file.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        let (end, overflow) = offset.addingReportingOverflow(buffer.count)
        guard offset >= 0, !overflow, end <= size else {
            throw Self.unreadable(path, "bytes \(offset) to \(end) are outside the file of \(size) bytes")
        }
        var done = 0
        while done < buffer.count {
            // Inside the buffer: `done` is less than its count, and at most the rest is asked for.
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(
                descriptor.number, target.baseAddress, target.count, off_t(base + offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Self.unreadable(
                    path, count == 0 ? "shorter than before" : String(cString: strerror(errno)))
            }
            done += count
        }
    }

    public func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        guard count >= 0, count <= size else {
            throw Self.unreadable(path, "\(count) bytes asked for of a file of \(size)")
        }
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(
                at: offset,
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
            )
            initialized = count
        }
    }

    private static func unreadable(_ path: String, _ reason: String) -> Problem {
        Problem(
            .internal, code: "file-unreadable", title: "A file of the service cannot be read",
            detail: "\((path as NSString).lastPathComponent): \(reason)")
    }
}
