import API
import Commands
import Findings
import Foundation
import PackedDataset
import Storage
import Support
import Synchronization
import WorkerProtocol
import Workers

/// A scan or purification on this machine, without a server: the same worker, the same checks.
struct LocalAnalysis {
    let type: JobType
    let arguments: AnalysisOptions
    let worker: LocalWorker

    struct Result {
        /// The file that was read for MODEL.
        var modelFile: String
        var model: ModelSummary
        var dataset: DatasetSummary
        var options: JobOptions
        var findings: CollectedFindings
        var verdict: Verdict
    }

    /// - Parameter scratch: an empty folder for packed data sets and the worker's files.
    func run(scratch: String) async throws -> Result {
        let options = try arguments.jobOptions()
        let modelPath = try await ModelInput.file(arguments.model, scratch: scratch)
        let sets = try [
            ("dataset", arguments.dataset, "DATASET"), ("clean", arguments.clean, "--clean"),
            ("triggered", arguments.triggered, "--triggered"), ("trusted", arguments.trusted, "--trusted"),
        ].compactMap { name, path, option in
            try path.map {
                (name: name, source: try existingFile($0, option: option), option: option)
            }
        }
        let model = try await worker.probe(modelPath, arguments.imports.modelSkeleton, scratch: scratch)
        if let target = arguments.targetClass, target >= model.classes {
            throw Problem(
                .unprocessable, code: "target-class-out-of-range",
                title: "The target class is none of the model's",
                detail: "\(target) was given; the model has outputs 0 to \(model.classes - 1).",
                location: "--target-class",
                fix: "Give the number of the attack's target among the model's outputs, or leave it out.")
        }
        var packed: [String: (folder: String, summary: DatasetSummary)] = [:]
        for set in sets {
            let (folder, summary) = try await packedSet(set.source, name: set.name, scratch: scratch)
            packed[set.name] = (folder, summary)
            try OptionRules.checkShape(model: model, dataset: summary, location: set.option)
        }
        guard let (folder, dataset) = packed["dataset"] else {
            throw LocalWorker.silent("The import gave no data set.")
        }
        try OptionRules.checkMatch(model: model, dataset: dataset, options: options)
        let evaluation =
            packed["clean"] == nil && packed["triggered"] == nil
            ? nil
            : WorkerTask.Analyse.EvaluationSets(
                clean: packed["clean"]?.folder, triggered: packed["triggered"]?.folder,
                targetClass: arguments.targetClass)
        let task = WorkerTask(
            kind: .analyse(
                WorkerTask.Analyse(
                    type: type, model: modelPath, skeleton: arguments.imports.modelSkeleton, dataset: folder,
                    evaluation: evaluation, trusted: packed["trusted"]?.folder, options: options)),
            outputDirectory: try LocalWorker.makeFolder(scratch, "job"))
        let findings = Mutex(CollectedFindings())
        try await worker.run(task, label: { Self.label(of: $0) }) { message in
            findings.withLock { $0.take(message) }
        }
        let collected = findings.withLock { $0 }
        guard let verdict = collected.verdict else { throw LocalWorker.silent("The worker gave no verdict.") }
        return Result(
            modelFile: modelPath, model: model, dataset: dataset, options: options, findings: collected,
            verdict: verdict)
    }

    /// A folder that holds a packed data set already is taken as it is.
    private func packedSet(
        _ source: String, name: String, scratch: String
    ) async throws -> (String, DatasetSummary) {
        if FileManager.default.fileExists(atPath: source + "/manifest.json") {
            if name == "dataset" { try arguments.imports.requireNone(packed: source) }
            return (source, try PackedDataset(directory: source).summary)
        }
        let folder = try LocalWorker.makeFolder(scratch, name)
        guard name != "dataset" else {
            let summary = try await worker.importSet(
                source, try arguments.parts.map { try existingFile($0, option: "DATASET") },
                into: folder,
                name: name, options: arguments.imports.importOptions)
            for sentence in summary.reading?.sentences ?? [] { worker.display.note(sentence.inOneLine) }
            return (folder, summary)
        }
        var options = arguments.imports.otherSets
        do {
            return (folder, try await worker.importSet(source, into: folder, name: name, options: options))
        } catch let problem as Problem where problem.code == "option-without-effect" {
            // What files of images need, arrays beside them do not.
            (options.alpha, options.orientation) = (nil, nil)
            return (folder, try await worker.importSet(source, into: folder, name: name, options: options))
        }
    }

    static func label(of progress: WorkerProgress) -> String {
        guard let phase = progress.phase else { return "preparation" }
        let name = phase.rawValue.replacing("_", with: " ")
        return progress.round > 0 ? "\(name), round \(progress.round)" : name
    }
}
