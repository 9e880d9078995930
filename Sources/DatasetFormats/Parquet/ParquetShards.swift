import Findings
import Foundation
import Problems

/// Parquet files, one after the other.
protocol ParquetShards: AnyObject {
    var bytesRead: Int { get }
    var bytesTotal: Int? { get }
    var report: SourceReport { get }

    func next() throws -> ParquetFile?
}

/// A file that is uploaded as it is.
final class OneShard: ParquetShards {
    private var file: ParquetFile?

    let bytesTotal: Int? = nil
    let bytesRead = 0
    let report: SourceReport

    init(_ file: ParquetFile) {
        self.file = file
        var report = SourceReport()
        report.entries = file.rowCount
        self.report = report
    }

    func next() -> ParquetFile? {
        defer { file = nil }
        return file
    }
}

/// The entries of an archive or folder. The library reads at any place of a file, and an archive gives its bytes
/// in order: each entry is written to a file without a name first, which is gone with its last row.
final class ArchivedShards: ParquetShards {
    private static let piece = 1 << 20

    private let entries: EntryStream
    private let split: ImportOptions.Split
    private let areSplit: Bool
    private let scratch: String

    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var report: SourceReport { entries.report }

    /// - Parameter areSplit: whether names say which part a file is of; otherwise all are read.
    init(_ entries: EntryStream, split: ImportOptions.Split, areSplit: Bool, scratch: String) {
        self.entries = entries
        self.split = split
        self.areSplit = areSplit
        self.scratch = scratch
    }

    /// The part by a file's or its folder's name (`data/train-00000-of-00002.parquet`, `test/0000.parquet`): train,
    /// test, or another such as validation; nil where they say nothing.
    static func part(of name: String) -> String? {
        guard name.hasSuffix(".parquet") else { return nil }
        for component in name.split(separator: "/").suffix(2).reversed() {
            let word = component.lowercased().prefix { $0.isLetter }
            if ["train", "test", "validation", "valid", "val", "dev"].contains(word) { return String(word) }
        }
        return nil
    }

    func next() throws -> ParquetFile? {
        while let path = try entries.next() {
            guard path.name.hasSuffix(".parquet") else {
                entries.report.skip(path.name, "not a Parquet file")
                continue
            }
            let part = Self.part(of: path.name)
            guard !areSplit || (part ?? "train") == split.rawValue else {
                entries.report.skip(path.name, "not of the \(split.rawValue) part")
                continue
            }
            return try ParquetFile(spool(path), name: path.name)
        }
        return nil
    }

    private func spool(_ path: EntryPath) throws -> FileHandle {
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
            try entries.source.read(into: &bytes, limit: Self.piece)
            do { try file.write(contentsOf: bytes) } catch {
                throw failure("Writing", error.localizedDescription, path)
            }
        } while bytes.count == Self.piece
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
