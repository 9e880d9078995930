import Findings
import ImageCodecs
import Support
import WorkerProtocol

/// What the names in an archive or folder are, all of them, in memory that does not depend on how many there are.
/// Small tables and lists of class names are read on the way.
struct SetSurvey {
    /// Files of one name, one after the other, as WebDataset has them.
    struct Samples {
        /// With an image, and of these with a file of a label.
        var count = 0
        var withNumber = 0
        var withLabel = 0
    }

    private static let keptNames = 100_000
    private static let keptTables = 64
    private static let deepestTable = 3

    private(set) var files = 0
    /// Images by name, in each folder (its path).
    private(set) var images: [String: Int] = [:]
    private(set) var imageCount = 0
    private(set) var samples = Samples()
    private(set) var arrays: [String] = []
    private(set) var idx: [String] = []
    private(set) var cifar: [String] = []
    private(set) var parquet: [String] = []
    private(set) var shards: [String] = []
    /// Archives in it, shards among them.
    private(set) var archives: [String] = []
    private(set) var tables: [ManifestCandidate] = []
    private(set) var orders: [OrderFile] = []
    /// What ended the survey early: what is wrong with an entry is said when it is its turn.
    private(set) var fault: Problem?

    private var run: (stem: String, kinds: Set<String>)?

    /// - Parameter isCancelled: asked before every entry.
    init(_ source: any EntrySource, limits: ImportLimits, isCancelled: () -> Bool) throws {
        let entries = EntryStream(source, limits: limits)
        do {
            while let entry = try entries.nextRaw() {
                if isCancelled() {
                    throw Problem(
                        .cancelled, code: "cancelled", title: "The work was cancelled",
                        detail: "The import stopped while the names were read.")
                }
                guard entry.kind == .file, let path = try? EntryPath(entry), !path.isClutter,
                    !path.components.isEmpty
                else { continue }
                try take(path, entries, limits)
            }
        } catch let problem as Problem where problem.category != .cancelled {
            fault = problem
        }
        endRun()
    }

    private mutating func take(_ path: EntryPath, _ entries: EntryStream, _ limits: ImportLimits) throws {
        files += 1
        let name = path.components[path.components.count - 1]
        let folder = path.components.dropLast().joined(separator: "/")
        if ImageFormat.isImageName(name) {
            imageCount += 1
            if images[folder] != nil || images.count < Self.keptNames { images[folder, default: 0] += 1 }
        }
        let (stem, kind) = WebDatasetKey.parts(path)
        if run?.stem != stem {
            endRun()
            run = (stem, [])
        }
        run?.kinds.insert(WebDatasetKey.lastExtension(kind))
        func keep(_ list: inout [String]) { if list.count < Self.keptNames { list.append(path.name) } }
        if name.hasSuffix(".npy") { keep(&arrays) }
        if IDXArchive.isImages(name) || IDXArchive.isLabels(name) { keep(&idx) }
        if CIFARSource.split(of: name) != nil { keep(&cifar) }
        if name.hasSuffix(".parquet") { keep(&parquet) }
        if ShardedWebDataset.isShard(name) { keep(&shards) }
        if ArchivesWithin.isArchive(name) { keep(&archives) }
        if path.components.count <= Self.deepestTable { try takeTable(path, name, entries) }
    }

    /// A table of files and labels, or a file that says what the classes are called.
    private mutating func takeTable(_ path: EntryPath, _ name: String, _ entries: EntryStream) throws {
        let (isTable, isOrder) = (ManifestCandidate.isName(name), OrderFile.isName(name))
        // Another table than the known ones may be one of each image's: a few near the top are looked at.
        let isNamed = ManifestCandidate.fileNames.contains(name)
        guard isOrder || (isTable && (isNamed || path.components.count <= 2)) else { return }
        guard tables.count < Self.keptTables, orders.count < Self.keptTables else { return }
        var head: [UInt8] = []
        try entries.source.read(into: &head, limit: Manifest.headBytes)
        if isTable,
            Manifest.hasColumns(head, isCSV: !name.lowercased().hasSuffix(".jsonl")) || (isNamed && !isOrder)
        {
            tables.append(try ManifestCandidate(path, head: head, entries))
        } else if isOrder {
            orders.append(try OrderFile(path, head: head, entries))
        }
    }

    private mutating func endRun() {
        guard let kinds = run?.kinds, kinds.contains(where: ImageFormat.isImageExtension) else { return }
        samples.count += 1
        if kinds.contains("cls") { samples.withNumber += 1 }
        if !kinds.isDisjoint(with: ["cls", "json", "txt"]) { samples.withLabel += 1 }
        run = nil
    }
}
