import Containers
import Findings
import Foundation
import PackedDataset
import Support
import WorkerProtocol

/// How an upload is read, decided by all the names in it; it can be opened more than once.
struct SetPlan {
    let layout: ImportOptions.Layout
    let sentence: String
    var split: ImportOptions.Split?
    var notes: [String] = []
    /// Files that may say what the classes are called.
    var orders: [OrderFile] = []
    /// What ended the look at the names: said at the end, if reading did not meet it.
    var fault: Problem?
    let open: () throws -> any SampleSource
}

/// Looks at all the names in an upload before it decides how the data set is laid out.
struct SourceFinder {
    let path: String
    let options: ImportOptions
    let limits: ImportLimits
    /// A folder for what has to lie on the disk while it is read.
    let scratch: String
    /// Further files of the same set.
    var parts: [String] = []

    /// - Parameter isCancelled: asked before every entry.
    func plan(isCancelled: () -> Bool) throws -> SetPlan {
        if !parts.isEmpty {
            return try plan(isCancelled: isCancelled) { [path, parts] in try FilesReader([path] + parts) }
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Problem(
                .notFound, code: "dataset-not-found", title: "The data set cannot be read",
                detail: String(cString: strerror(errno)) + ".", location: path,
                fix: "Name a file or folder that is there and that you may read. The order is MODEL DATASET.")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            return try plan(isCancelled: isCancelled) { [path] in FolderReader(root: path) }
        }
        let file = try RandomAccessFile(path: path)
        let head = try file.bytes(at: 0, count: min(file.size, 64))
        if head.count > 8, head[8] == UInt8(ascii: "{"), head[6] == 0, head[7] == 0 {
            return try single(.arrays, "It is a safetensors file.") { [limits] in
                try SafetensorsDataset.source(file, limits: limits)
            }
        }
        if head.starts(with: Array("PAR1".utf8)) {
            return try single(.parquet, "It is a Parquet file.") { [path, limits] in
                try ParquetSource(path: path, limits: limits)
            }
        }
        return try plan(isCancelled: isCancelled) { [path] in try ArchiveReader(path: path) }
    }

    /// Of a file that is no archive.
    private func single(
        _ layout: ImportOptions.Layout, _ sentence: String, open: @escaping () throws -> any SampleSource
    ) throws -> SetPlan {
        if let given = options.layout, given != layout {
            throw LayoutReadings.notFound(given, sentence, fitting: [layout])
        }
        _ = try SetParts.choose(options.split, of: [], told: "it is one file")
        return SetPlan(layout: layout, sentence: sentence, open: open)
    }

    /// - Parameter reader: begins to read the entries anew.
    private func plan(isCancelled: () -> Bool, _ reader: @escaping () throws -> any EntrySource) throws
        -> SetPlan
    {
        let first = try reader()
        let survey = try SetSurvey(first, limits: limits, isCancelled: isCancelled)
        if !(first is ArchivesWithin), try holdsParts(survey, reader, isCancelled: isCancelled) {
            return try plan(isCancelled: isCancelled) { [scratch] in
                ArchivesWithin(try reader(), scratch: scratch)
            }
        }
        let decision: LayoutDecision
        do { decision = try LayoutDecision(survey, options: options, limits: limits) } catch {
            throw survey.fault ?? error
        }
        let used = Set(decision.manifests.map(\.name) + survey.orders.map(\.name))
        let format = first.formatName
        let stream = { [limits] in
            EntryStream(try reader(), limits: limits, used: used, unused: decision.unusedTables)
        }
        let open: () throws -> any SampleSource
        switch decision.layout {
        case .arrays: open = { try arrays(survey, decision, format, reader) }
        case .cifar:
            let isBinary = survey.cifar.contains { $0.hasSuffix(".bin") }
            open = { CIFARSource(try stream(), isBinary: isBinary, split: decision.split) }
        case .parquet: open = { ParquetSource(try stream(), split: decision.split, scratch: scratch) }
        case .manifest:
            open = { try ManifestSource(try stream(), manifests: decision.manifests, limits: limits) }
        case .webdataset where !survey.shards.isEmpty && survey.imageCount == 0:
            open = { ShardedWebDataset(try stream(), part: decision.split, scratch: scratch) }
        case .webdataset: open = { WebDatasetSource(try stream()) }
        case .folders, .leafFolders:
            let areLeaves = decision.layout == .leafFolders
            let shape = decision.shape
            let areNumbers = ClassNaming.areNumbers(areLeaves ? shape.leaves : shape.classes, survey.orders)
            open = { [options] in
                ImageFolderSource(
                    try stream(), shape: shape, split: decision.split, areNumbers: areNumbers,
                    areLeaves: areLeaves, takesEmptyClasses: options.emptyClasses == true)
            }
        }
        if !areFolders(decision.layout), options.emptyClasses != nil {
            throw SetParts.withoutEffect(
                "empty_classes=true", "empty_classes",
                "Classes are no folders in the layout \(decision.layout.rawValue).")
        }
        return SetPlan(
            layout: decision.layout, sentence: decision.sentence, split: decision.split,
            notes: decision.notes,
            orders: survey.orders, fault: survey.fault, open: open)
    }

    private func areFolders(_ layout: ImportOptions.Layout) -> Bool {
        layout == .folders || layout == .leafFolders
    }

    /// Whether all that lies in a set is archives that are parts of it, such as `part1.zip` and `part2.zip`, and no shards
    /// of a WebDataset.
    private func holdsParts(
        _ survey: SetSurvey, _ reader: () throws -> any EntrySource, isCancelled: () -> Bool
    ) throws -> Bool {
        guard !survey.archives.isEmpty, survey.imageCount == 0, survey.parquet.isEmpty, survey.arrays.isEmpty,
            survey.idx.isEmpty, survey.cifar.isEmpty, survey.tables.isEmpty, options.layout != .webdataset
        else { return false }
        guard survey.archives.count == survey.shards.count else { return true }
        // The first one tells what the others are.
        let entries = EntryStream(try reader(), limits: limits)
        while let path = try entries.next() {
            guard ArchivesWithin.isArchive(path.name) else { continue }
            let file = try EntrySpool(scratch: scratch).file(of: entries.source, path)
            let inner = try SetSurvey(
                ArchiveReader(file, name: path.name), limits: limits, isCancelled: isCancelled)
            let isShard =
                inner.samples.withLabel > 0
                && (inner.samples.withNumber > 0 || !FolderShape(inner.images).fits)
            return inner.imageCount > 0 && !isShard
        }
        return false
    }

    private func arrays(
        _ survey: SetSurvey, _ decision: LayoutDecision, _ format: String,
        _ reader: () throws -> any EntrySource
    ) throws -> any SampleSource {
        guard survey.idx.contains(where: IDXArchive.isImages) else {
            return try NumPyArchive.source(
                format: "npz", arrays: survey.arrays, split: decision.split, limits: limits, open: reader)
        }
        return try IDXArchive.source(
            format: "idx/" + format, files: survey.idx, split: decision.split, limits: limits, open: reader)
    }
}
