import Findings
import Foundation
import Support

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
    private let entries: EntryStream
    /// Nil: all of them.
    private let split: ImportOptions.Split?
    private let spool: EntrySpool

    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var report: SourceReport { entries.report }

    init(_ entries: EntryStream, split: ImportOptions.Split?, scratch: String) {
        self.entries = entries
        self.split = split
        spool = EntrySpool(scratch: scratch)
    }

    func next() throws -> ParquetFile? {
        while let path = try entries.next() {
            guard path.name.hasSuffix(".parquet") else {
                entries.report.skip(path.name, "not a Parquet file")
                continue
            }
            if let split, SetParts.part(of: path.name) ?? "train" != split.rawValue {
                entries.report.skip(path.name, "not of the \(split.rawValue) part")
                continue
            }
            return try ParquetFile(spool.file(of: entries.source, path), name: path.name)
        }
        return nil
    }
}
