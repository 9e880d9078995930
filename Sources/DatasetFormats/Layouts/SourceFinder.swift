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

    /// - Parameter isCancelled: asked before every entry.
    func plan(isCancelled: () -> Bool) throws -> SetPlan {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Problem(
                .notFound, code: "dataset-not-found", title: "The data set cannot be read",
                detail: String(cString: strerror(errno)) + ".", location: path)
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
        case .folders:
            let areNumbers = ClassNaming.areNumbers(decision.shape.classes, survey.orders)
            open = {
                ImageFolderSource(
                    try stream(), shape: decision.shape, split: decision.split, areNumbers: areNumbers)
            }
        }
        return SetPlan(
            layout: decision.layout, sentence: decision.sentence, split: decision.split,
            notes: decision.notes,
            orders: survey.orders, fault: survey.fault, open: open)
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
