import API
import Commands
import Findings
import Foundation
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
        let sets = arguments.sets
        // A wrong name is told before minutes are spent on the others.
        _ = try existingFile(arguments.dataset, option: "DATASET")
        for other in JobInputs.OtherSet.allCases {
            if let path = sets.path(of: other) { _ = try existingFile(path, option: "--\(other.rawValue)") }
        }
        let model = try await worker.probe(
            modelPath, name: arguments.model, arguments.imports.givenSkeleton(), scratch: scratch)
        var inputs = JobInputs(model: model, options: options, targetClass: sets.targetClass)
        try inputs.check()
        let packer = SetPacker(worker: worker, imports: arguments.imports, scratch: scratch)
        let packed = try await packer.dataset(arguments.dataset, parts: arguments.parts)
        for sentence in packed.summary.reading?.sentences ?? [] {
            worker.display.note(CommandWords.translated(text: sentence).inOneLine)
        }
        inputs.dataset = packed.summary
        try inputs.check()
        var folders: [JobInputs.OtherSet: String] = [:]
        for other in JobInputs.OtherSet.allCases {
            guard let path = sets.path(of: other) else { continue }
            let packed = try await packer.other(path, as: other)
            (folders[other], inputs.others[other]) = (packed.folder, packed.summary)
            try inputs.check()
        }
        let task = WorkerTask(
            kind: .analyse(
                WorkerTask.Analyse(
                    type: type, model: modelPath, skeleton: arguments.imports.modelSkeleton,
                    dataset: packed.folder, others: folders, targetClass: sets.targetClass, options: options
                )),
            outputDirectory: try LocalWorker.makeFolder(scratch, "job"))
        let findings = Mutex(CollectedFindings())
        try await worker.run(task, label: { Self.label(of: $0) }) { message in
            findings.withLock { $0.take(message) }
        }
        let collected = findings.withLock { $0 }
        guard let verdict = collected.verdict else { throw LocalWorker.silent("The worker gave no verdict.") }
        return Result(
            modelFile: modelPath, model: model, dataset: packed.summary, options: options,
            findings: collected,
            verdict: verdict)
    }

    static func label(of progress: WorkerProgress) -> String {
        guard let phase = progress.phase else { return "preparation" }
        let name = phase.rawValue.replacing("_", with: " ")
        return progress.round > 0 ? "\(name), round \(progress.round)" : name
    }
}

extension WorkerTask.Analyse {
    /// - Parameter others: packed sets beside the training set.
    init(
        type: JobType, model: String, skeleton: ModelSkeleton?, dataset: String,
        others: [JobInputs.OtherSet: String], targetClass: Int?, options: JobOptions
    ) {
        let isEvaluated = others[.clean] != nil || others[.triggered] != nil
        self.init(
            type: type, model: model, skeleton: skeleton, dataset: dataset,
            evaluation: isEvaluated
                ? .init(clean: others[.clean], triggered: others[.triggered], targetClass: targetClass) : nil,
            trusted: others[.trusted], options: options)
    }
}
