import API
import Commands
import Findings
import Foundation
import PackedDataset
import Support

/// Packs the sets that a command names, each by a worker. A folder that holds a packed set already is taken as it is.
struct SetPacker {
    let worker: LocalWorker
    let imports: InputOptions
    /// A folder that each set gets one in.
    let scratch: String

    struct Packed {
        var folder: String
        var summary: DatasetSummary
    }

    /// - Parameter parts: further files of the same set.
    func dataset(_ path: String, parts: [String]) async throws -> Packed {
        let source = try existingFile(path, option: "DATASET")
        if Self.isPacked(source) {
            try imports.requireNone(packed: source)
            return try Self.packed(source)
        }
        let folder = try LocalWorker.makeFolder(scratch, "dataset")
        let summary = try await worker.importSet(
            source, try parts.map { try existingFile($0, option: "DATASET") }, into: folder,
            name: "dataset", options: imports.importOptions)
        return Packed(folder: folder, summary: summary)
    }

    /// A set beside DATASET. What is wrong in it is located by its option.
    func other(_ path: String, as set: JobInputs.OtherSet) async throws -> Packed {
        let option = "--\(set.rawValue)"
        let source = try existingFile(path, option: option)
        do {
            if Self.isPacked(source) { return try Self.packed(source) }
            let folder = try LocalWorker.makeFolder(scratch, set.rawValue)
            return Packed(folder: folder, summary: try await summary(source, folder, set.rawValue))
        } catch var problem as Problem {
            problem.location = problem.location.map { "\(option), \($0)" } ?? option
            throw problem
        }
    }

    private func summary(_ source: String, _ folder: String, _ name: String) async throws
        -> DatasetSummary
    {
        var options = imports.otherSets
        do {
            return try await worker.importSet(source, into: folder, name: name, options: options)
        } catch let problem as Problem where problem.code == "option-without-effect" {
            // What files of images need, arrays beside them do not.
            (options.alpha, options.orientation) = (nil, nil)
            return try await worker.importSet(source, into: folder, name: name, options: options)
        }
    }

    private static func isPacked(_ source: String) -> Bool {
        FileManager.default.fileExists(atPath: source + "/manifest.json")
    }

    private static func packed(_ source: String) throws -> Packed {
        Packed(folder: source, summary: try PackedDataset(directory: source).summary)
    }
}
