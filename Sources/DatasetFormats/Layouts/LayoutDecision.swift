import Findings
import Support
import WorkerProtocol

/// How a set is read: what its names fit, and where several readings fit, the one that was asked for.
struct LayoutDecision {
    typealias Layout = ImportOptions.Layout

    let layout: Layout
    /// By what it was told, in a sentence.
    let sentence: String
    /// The part that is read; nil for a set without parts.
    private(set) var split: ImportOptions.Split?
    private(set) var notes: [String] = []
    /// Of a set with a manifest, those that are read.
    private(set) var manifests: [Manifest] = []
    let shape: FolderShape
    /// Why tables are not used, by path.
    private(set) var unusedTables: [String: String] = [:]

    private let survey: SetSurvey
    private let options: ImportOptions
    private let limits: ImportLimits

    init(_ survey: SetSurvey, options: ImportOptions, limits: ImportLimits) throws {
        self.survey = survey
        self.options = options
        self.limits = limits
        shape = FolderShape(survey.images)
        let tables = try ManifestTables(survey.tables, limits: limits)
        let readings = LayoutReadings(survey: survey, shape: shape, tables: tables)
        let reading = try options.layout.map { try readings.required($0) } ?? readings.only()
        (layout, sentence) = (reading.layout, reading.sentence)
        unusedTables = tables.faults.mapValues(\.detail)
        try chooseParts(tables)
    }

    private mutating func chooseParts(_ tables: ManifestTables) throws {
        let given = options.split
        switch layout {
        case .folders, .leafFolders:
            split = try SetParts.choose(
                given, of: shape.parts, told: "its class folders do not lie in train and test")
        case .manifest:
            let choice = try tables.choose(given)
            (manifests, split) = (choice.manifests, choice.split)
            notes += manifests.compactMap(\.note)
            for (path, reason) in choice.unused { unusedTables[path] = reason }
        case .webdataset where survey.shards.isEmpty || survey.imageCount > 0:
            split = try SetParts.choose(given, of: [], told: "it is one shard")
        case .webdataset: split = try choose(given, survey.shards, "its shards are not called train and test")
        case .parquet: split = try choose(given, survey.parquet, "its files are not called train and test")
        case .cifar:
            let parts = survey.cifar.compactMap { CIFARSource.split(of: Self.base($0))?.rawValue }
            split = try SetParts.choose(given, of: Set(parts), told: "")
        case .arrays where !survey.idx.isEmpty:
            split = try choose(given, survey.idx, "its files are not called train and t10k")
        case .arrays:
            let parts = NumPyArchive.parts(survey.arrays)
            split = try SetParts.choose(
                given, of: parts, told: "its arrays are not called x_train and x_test")
            if split == nil, let part = parts.first { split = ImportOptions.Split(rawValue: part) }
        }
        if let split { notes.append("The \(split.rawValue) part is read.") }
    }

    private func choose(_ given: ImportOptions.Split?, _ names: [String], _ place: String) throws
        -> ImportOptions.Split?
    {
        // Files that say nothing are of the training part where others say something.
        let told = names.map { SetParts.part(of: $0) }
        let parts = told.contains { $0 != nil } ? Set(told.map { $0 ?? "train" }) : []
        return try SetParts.choose(given, of: parts, told: place)
    }

    static func base(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
