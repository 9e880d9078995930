import Commands
import Findings
import Foundation
import Support
import Synchronization
import WorkerProtocol
import Workers

/// Runs worker processes for the command line, and shows their progress.
struct LocalWorker {
    let supervisor: WorkerSupervisor
    let display: ProgressDisplay
    /// Cancelled by a signal.
    let control: WorkerControl

    /// - Parameters:
    ///   - executable: the burn-worker program; nil for the one beside burnd.
    ///   - device: what it computes on.
    init(executable: String?, device: ComputeDevice = .cpu, control: WorkerControl) throws {
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = executable
        configuration.device = device
        supervisor = try WorkerSupervisor(configuration: configuration)
        display = ProgressDisplay.standardError()
        self.control = control
    }

    /// Packs the images of `source` into `folder`.
    /// - Parameter parts: further files of the same set.
    func importSet(
        _ source: String, _ parts: [String] = [], into folder: String, name: String, options: ImportOptions
    ) async throws -> DatasetSummary {
        let summary = Mutex(DatasetSummary?.none)
        let task = WorkerTask(
            kind: .importDataset(
                WorkerTask.ImportDataset(
                    source: source, parts: parts.isEmpty ? nil : parts, options: options)),
            outputDirectory: folder)
        try await Self.locating(source) {
            try await run(task, label: { _ in "import \(name)" }) { message in
                if case .datasetImported(let found) = message { summary.withLock { $0 = found } }
            }
        }
        guard let found = summary.withLock({ $0 }) else {
            throw Self.silent("The worker said nothing of \(source).")
        }
        return found
    }

    /// Checks a model file and runs it once.
    /// - Parameters:
    ///   - name: what the user calls it; the place of what is wrong with it as a whole.
    ///   - scratch: a folder that the worker's own is made in.
    /// - Throws: `Problem` that says what is wrong with the model.
    func probe(
        _ model: String, name: String, _ skeleton: ModelSkeleton?, scratch: String
    ) async throws -> ModelSummary {
        let summary = Mutex(ModelSummary?.none)
        let task = WorkerTask(
            kind: .probeModel(WorkerTask.ProbeModel(model: model, skeleton: skeleton)),
            outputDirectory: try Self.makeFolder(scratch, "model"))
        try await Self.locating(name) {
            try await run(task, label: { _ in "check of the model" }) { message in
                if case .modelProbed(let found, _) = message { summary.withLock { $0 = found } }
            }
        }
        guard let found = summary.withLock({ $0 }) else {
            throw Self.silent("The worker said nothing of \(model).")
        }
        return found
    }

    /// Runs one worker and shows its progress.
    func run(
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
            case .preliminary(let verdict): display.note(VerdictText.line(verdict))
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

    /// Problems that name no place are of the file as a whole.
    private static func locating(_ name: String, _ work: () async throws -> Void) async throws {
        do { try await work() } catch var problem as Problem {
            if problem.location == nil { problem.location = name }
            throw problem
        }
    }

    static func makeFolder(_ parent: String, _ name: String) throws -> String {
        let path = parent + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    static func silent(_ detail: String) -> Problem {
        Problem(
            .internal, code: "worker-incomplete", title: "The worker's answer is incomplete", detail: detail,
            fix: "Check that burnd and burn-worker come from the same build.")
    }
}
