import Foundation
import Support

/// Copies entries to the disk that have to be read at any place: each to a file without a name, which is gone with its
/// last reader.
struct EntrySpool {
    private static let piece = 1 << 20

    let scratch: String

    /// - Returns: the entry at hand, open at its beginning.
    func file(of source: any EntrySource, _ path: EntryPath) throws -> FileHandle {
        do {
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        } catch {
            throw failure("Creating the folder", error.localizedDescription, path)
        }
        var template = Array((scratch + "/shard.XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw failure("Creating", String(cString: strerror(errno)), path) }
        unlink(template)
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var bytes: [UInt8] = []
        repeat {
            bytes.removeAll(keepingCapacity: true)
            try source.read(into: &bytes, limit: Self.piece)
            do { try file.write(contentsOf: bytes) } catch {
                throw failure("Writing", error.localizedDescription, path)
            }
        } while bytes.count == Self.piece
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw failure("Reading", String(cString: strerror(errno)), path)
        }
        return file
    }

    private func failure(_ action: String, _ reason: String, _ path: EntryPath) -> Problem {
        let isFull = errno == ENOSPC || errno == EDQUOT || errno == EFBIG
        return Problem(
            isFull ? .insufficientStorage : .internal, code: isFull ? "disk-full" : "file-access-failed",
            title: isFull ? "There is no room left on the disk" : "A file could not be used",
            detail: "\(action) a copy of a shard failed: \(reason).", location: path.name,
            fix: isFull ? "Free disk space; a copy of one shard is needed at a time." : nil)
    }
}
