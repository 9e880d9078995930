import ImageCodecs
import Support
import WorkerProtocol

/// The checked entries of an archive or folder: files only, clutter and folders told apart.
final class EntryStream {
    let source: any EntrySource
    let limits: ImportLimits
    var report = SourceReport()
    /// Called with the path of each folder.
    var folder: (EntryPath) throws -> Void = { _ in }
    /// Tables and lists of names that were read before, by path.
    private let used: Set<String>
    /// Why files are passed over, by path.
    private let unused: [String: String]

    init(
        _ source: any EntrySource, limits: ImportLimits, used: Set<String> = [],
        unused: [String: String] = [:]
    ) {
        self.source = source
        self.limits = limits
        self.used = used
        self.unused = unused
    }

    /// The next entry, whatever it is.
    func nextRaw() throws -> SourceEntry? {
        guard let entry = try source.next() else { return nil }
        report.entries += 1
        guard report.entries <= 2 * limits.maximumImages + 100_000 else {
            throw ImportProblems.tooMany("entries", report.entries - 1, entry.name)
        }
        return entry
    }

    /// The next file that is no clutter and was not read before.
    func next() throws -> EntryPath? {
        while let entry = try nextRaw() {
            let path = try EntryPath(entry)
            switch entry.kind {
            case .directory:
                if !path.isClutter { try folder(path) }
                continue
            case .file: break
            case .symbolicLink, .hardLink, .special: throw ImportProblems.notAFile(entry)
            }
            if entry.isEncrypted { throw ImportProblems.encrypted(entry.name) }
            if path.components.isEmpty || used.contains(path.name) { continue }
            if path.isClutter {
                report.skip(path.name, "a hidden file, or one that an operating system left")
                continue
            }
            if let reason = unused[path.name] {
                report.skip(path.name, reason)
                continue
            }
            return path
        }
        return nil
    }

    /// The whole of the entry at hand.
    func contents(of path: EntryPath, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try source.read(into: &bytes, limit: limit + 1)
        guard bytes.count <= limit else { throw ImportProblems.entryTooLarge(path.name, limit) }
        return bytes
    }

    /// Appends the entry at hand if it is an image; nil for what is none by its name either.
    /// - Throws: for images of a format that is not decoded.
    func image(_ path: EntryPath, into bytes: inout [UInt8]) throws -> SourceSample.Content? {
        let start = bytes.count
        try source.read(into: &bytes, limit: ImageFormat.headBytes)
        guard let format = ImageFormat(head: bytes[start...]) else {
            defer { bytes.removeSubrange(start...) }
            if ImageFormat.isImageName(path.name) {
                let head = bytes[start...]
                if head.isEmpty { return .damaged("the file is empty") }
                guard ForeignImageFormat(head: head) == nil, !ImageFormat.isForeignName(path.name) else {
                    throw ImportProblems.foreignImage(path.fullName, head)
                }
                return .damaged("by its content the file is no \(ImageFormat.names) image")
            }
            return nil
        }
        try source.read(into: &bytes, limit: limits.maximumEntryBytes - ImageFormat.headBytes + 1)
        guard bytes.count - start <= limits.maximumEntryBytes else {
            throw ImportProblems.entryTooLarge(path.fullName, limits.maximumEntryBytes)
        }
        return .encoded(format)
    }
}
