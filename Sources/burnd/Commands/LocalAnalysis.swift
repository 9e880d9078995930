import API
import Findings
import Foundation
import ModelFormats
import PackedDataset
import Problems
import Synchronization
import WorkerProtocol
import WorkerSupervisor

/// A scan or purification on this machine, without a server: the same worker, the same checks.
struct LocalAnalysis {
    let type: JobType
    let arguments: AnalysisOptions
    let supervisor: WorkerSupervisor
    let display: ProgressDisplay
    /// Cancelled by a signal.
    let control: WorkerControl

    struct Result {
        var model: ModelSummary
        var dataset: DatasetSummary
        var options: JobOptions
        var findings: CollectedFindings
        var verdict: Verdict
    }

    /// - Parameter scratch: an empty folder for packed data sets and the worker's files.
    func run(scratch: String) async throws -> Result {
        let options = try arguments.jobOptions()
        let modelPath = try Self.existing(arguments.model, option: "MODEL")
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: modelPath, isDirectory: &isFolder), isFolder.boolValue {
            throw Problem(
                .unsupportedFormat, code: "model-is-a-folder", title: "The model is a folder",
                detail: "\(arguments.model) is a folder; a .pt2 or ONNX file is expected.", location: "MODEL",
                fix: "The order is MODEL DATASET.")
        }
        let model = try openModel(at: modelPath).summary
        let sets = try [
            ("dataset", arguments.dataset, "DATASET"), ("clean", arguments.clean, "--clean"),
            ("triggered", arguments.triggered, "--triggered"),
        ].compactMap { name, path, option in
            try path.map { (name: name, source: try Self.existing($0, option: option), option: option) }
        }
        if let target = arguments.targetClass, target >= model.classes {
            throw Problem(
                .unprocessable, code: "target-class-out-of-range",
                title: "The target class is none of the model's",
                detail: "\(target) was given; the model has outputs 0 to \(model.classes - 1).",
                location: "--target-class")
        }
        var packed: [String: (folder: String, summary: DatasetSummary)] = [:]
        for set in sets {
            let (folder, summary) = try await packedSet(set.source, name: set.name, scratch: scratch)
            packed[set.name] = (folder, summary)
            try OptionRules.checkShape(model: model, dataset: summary, location: set.option)
        }
        guard let (folder, dataset) = packed["dataset"] else {
            throw Self.silent("The import gave no data set.")
        }
        do {
            try OptionRules.checkMatch(model: model, dataset: dataset, options: options)
        } catch var problem as Problem {
            problem.location = problem.location.map(Self.argument)
            throw problem
        }
        let evaluation =
            packed.count == 1
            ? nil
            : WorkerTask.Analyse.EvaluationSets(
                clean: packed["clean"]?.folder, triggered: packed["triggered"]?.folder,
                targetClass: arguments.targetClass)
        let task = WorkerTask(
            kind: .analyse(
                WorkerTask.Analyse(
                    type: type, model: modelPath, dataset: folder, evaluation: evaluation, options: options)),
            outputDirectory: try Self.makeFolder(scratch, "job"))
        let findings = Mutex(CollectedFindings())
        try await work(task, label: { Self.label(of: $0) }) { message in
            findings.withLock { $0.take(message) }
        }
        let collected = findings.withLock { $0 }
        guard let verdict = collected.verdict else { throw Self.silent("The worker gave no verdict.") }
        return Result(
            model: model, dataset: dataset, options: options, findings: collected, verdict: verdict)
    }

    /// A folder that holds a packed data set already is taken as it is.
    private func packedSet(
        _ source: String, name: String, scratch: String
    ) async throws -> (String, DatasetSummary) {
        if FileManager.default.fileExists(atPath: source + "/manifest.json") {
            return (source, try PackedDataset(directory: source).summary)
        }
        let folder = try Self.makeFolder(scratch, name)
        return (folder, try await importSet(source, into: folder, name: name))
    }

    private func importSet(_ source: String, into folder: String, name: String) async throws -> DatasetSummary
    {
        let summary = Mutex(DatasetSummary?.none)
        let task = WorkerTask(
            kind: .importDataset(WorkerTask.ImportDataset(source: source)), outputDirectory: folder)
        try await work(task, label: { _ in "import \(name)" }) { message in
            if case .datasetImported(let found) = message { summary.withLock { $0 = found } }
        }
        guard let found = summary.withLock({ $0 }) else {
            throw Self.silent("The worker said nothing of \(source).")
        }
        return found
    }

    /// Runs one worker and shows its progress.
    private func work(
        _ task: WorkerTask, label: @escaping @Sendable (WorkerProgress) -> String,
        receive: @escaping @Sendable (WorkerMessage) -> Void
    ) async throws {
        let display = display
        let exit = await supervisor.run(task, control: control) { message in
            switch message {
            case .progress(let progress):
                display.update(
                    label(progress), fraction: progress.fraction, secondsLeft: progress.secondsLeft)
            case .log(let text): display.note(text)
            default: receive(message)
            }
        }
        display.finish()
        if case .cancelled = exit {
            throw Problem(
                .cancelled, code: "cancelled", title: "Cancelled", detail: "A signal stopped the work.")
        }
        if let problem = exit.problem { throw problem }
    }

    static func label(of progress: WorkerProgress) -> String {
        guard let phase = progress.phase else { return "preparation" }
        let name = phase.rawValue.replacing("_", with: " ")
        return progress.round > 0 ? "\(name), round \(progress.round)" : name
    }

    /// The argument that stands for a place in a job request's body.
    private static func argument(_ pointer: String) -> String {
        switch pointer {
        case "/dataset": "DATASET"
        case "/options/classes": "--classes"
        case "/options/input/mean": "--mean"
        case "/options/input/std": "--std"
        default: pointer
        }
    }

    private static func existing(_ path: String, option: String) throws -> String {
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        guard access(absolute, R_OK) == 0 else {
            throw Problem(
                .notFound, code: "file-unreadable", title: "The file can't be read",
                detail: "\(path): \(String(cString: strerror(errno)))", location: option)
        }
        return absolute
    }

    private static func makeFolder(_ parent: String, _ name: String) throws -> String {
        let path = parent + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    private static func silent(_ detail: String) -> Problem {
        Problem(
            .internal, code: "worker-incomplete", title: "The worker's answer is incomplete", detail: detail,
            fix: "Check that burnd and burn-worker come from the same build.")
    }
}
