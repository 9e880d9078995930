import Support
import WorkerProtocol

/// The entries of an upload whose archives are parts of one set, as if they lay in the upload itself; each keeps the name
/// of its archive. Archives in these are not opened.
final class ArchivesWithin: EntrySource {
    private let outer: any EntrySource
    private let spool: EntrySpool
    private let limit: ExpansionLimit?
    private var inner: ArchiveReader?
    /// The archive at hand.
    private var name = ""

    var formatName: String { outer.formatName + " of archives" }
    var bytesRead: Int { outer.bytesRead }
    var bytesTotal: Int? { outer.bytesTotal }

    /// - Parameter scratch: a folder on the disk for one archive at a time.
    init(_ outer: any EntrySource, scratch: String) {
        self.outer = outer
        spool = EntrySpool(scratch: scratch)
        limit = ExpansionLimit(size: outer.bytesTotal)
    }

    static func isArchive(_ name: String) -> Bool {
        // .tar, .tar.gz, .tgz, .tar.xz, .tar.zst, .zip: asked of every entry.
        guard let last = name.utf8.last, "rzptRZPT".utf8.contains(last) else { return false }
        return isArchiveName(name)
    }

    private static func isArchiveName(_ name: String) -> Bool {
        ShardedWebDataset.isShard(name) || name.lowercased().hasSuffix(".zip")
    }

    func next() throws -> SourceEntry? {
        while true {
            if let inner {
                if let entry = try inner.next() { return within(entry) }
                self.inner = nil
            }
            guard let entry = try outer.next() else { return nil }
            guard entry.kind == .file, !entry.isEncrypted, Self.isArchive(entry.name),
                let path = try? EntryPath(entry), !path.isClutter
            else { return entry }
            name = path.name
            inner = try ArchiveReader(spool.file(of: outer, path), name: name, within: limit)
        }
    }

    /// Of `train.tar`, all lies in the training part.
    private func within(_ entry: SourceEntry) -> SourceEntry {
        var entry = entry
        entry.container = name + "/"
        let base = name.split(separator: "/").last ?? ""
        let stem = base.prefix { $0 != "." }
        if SetParts.isPart(String(stem)) { entry.name = stem + "/" + entry.name }
        return entry
    }

    func read(into bytes: inout [UInt8], limit: Int) throws {
        if let inner {
            try inner.read(into: &bytes, limit: limit)
        } else {
            try outer.read(into: &bytes, limit: limit)
        }
    }
}
