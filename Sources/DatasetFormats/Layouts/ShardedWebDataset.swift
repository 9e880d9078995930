import Findings
import Support
import WorkerProtocol

/// WebDataset shards in a folder or an archive, one after the other.
final class ShardedWebDataset: SampleSource {
    private let entries: EntryStream
    private let spool: EntrySpool
    private let limit: ExpansionLimit?
    /// Nil: all of them.
    private let part: ImportOptions.Split?
    private var shard: WebDatasetSource?
    private var finished = SourceReport()

    var formatName: String { "webdataset/" + entries.source.formatName }
    var bytesRead: Int { entries.source.bytesRead }
    var bytesTotal: Int? { entries.source.bytesTotal }
    var expectedCount: Int? { nil }

    var report: SourceReport {
        var report = entries.report
        report.add(finished)
        if let shard { report.add(shard.report) }
        return report
    }

    /// - Parameter scratch: a folder on the disk for one shard at a time.
    init(_ entries: EntryStream, part: ImportOptions.Split?, scratch: String) {
        self.entries = entries
        self.part = part
        spool = EntrySpool(scratch: scratch)
        limit = ExpansionLimit(size: entries.source.bytesTotal)
    }

    static func isShard(_ name: String) -> Bool {
        let lower = name.lowercased()
        return [".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst"].contains { lower.hasSuffix($0) }
    }

    func check() throws {}

    func next(into bytes: inout [UInt8]) throws -> SourceSample? {
        while true {
            if let sample = try shard?.next(into: &bytes) { return sample }
            if let shard { finished.add(shard.report) }
            shard = nil
            guard let path = try entries.next() else { return nil }
            guard Self.isShard(path.name) else {
                entries.report.skip(path.name, "not a shard")
                continue
            }
            if let part, SetParts.part(of: path.name) != part.rawValue {
                entries.report.skip(path.name, "not of the \(part.rawValue) part")
                continue
            }
            let reader = try ArchiveReader(
                spool.file(of: entries.source, path), name: path.name, within: limit)
            shard = WebDatasetSource(
                EntryStream(reader, limits: entries.limits), prefix: path.name + "/")
        }
    }
}
