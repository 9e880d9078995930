import Findings
import Foundation
import Support
import Synchronization
import WorkerProtocol
import Workers

/// Runs tasks in `burn-worker` processes, to their end.
public struct WorkerRunner: Sendable {
    private let supervisor: WorkerSupervisor
    private let control: WorkerControl

    /// - Parameters:
    ///   - program: path of `burn-worker`; nil: beside the running program.
    ///   - device: what they compute on.
    ///   - control: stops what is running.
    public init(
        program: String? = nil, device: ComputeDevice = .cpu, control: WorkerControl = WorkerControl()
    ) throws {
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = program
        configuration.device = device
        supervisor = try WorkerSupervisor(configuration: configuration)
        self.control = control
    }

    /// - Parameter directory: where the task writes; made when it is not there.
    /// - Returns: every message but heartbeats, progress and the last one.
    /// - Throws: the task's `Problem`, or the `Problem` that stands for a worker that died.
    @discardableResult
    public func run(
        _ kind: WorkerTask.Kind, in directory: URL,
        progress: @escaping @Sendable (WorkerProgress) -> Void = { _ in }
    ) async throws -> [WorkerMessage] {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let messages = Mutex<[WorkerMessage]>([])
        let task = WorkerTask(kind: kind, outputDirectory: directory.path)
        let exit = await supervisor.run(task, control: control) { message in
            if case .progress(let value) = message {
                progress(value)
            } else {
                messages.withLock { $0.append(message) }
            }
        }
        if case .cancelled = exit {
            throw Problem(
                .cancelled, code: "cancelled", title: "Cancelled", detail: "A signal stopped the work.")
        }
        if let problem = exit.problem { throw problem }
        return messages.withLock { $0 }
    }

    /// ACC, ASR and RA of a model.
    public func evaluate(_ task: WorkerTask.Evaluate, in directory: URL) async throws -> EvaluationMetrics {
        for case .evaluation(let metrics) in try await run(.evaluate(task), in: directory) {
            if let before = metrics.before { return before }
        }
        throw Problem(
            .internal, code: "worker-incomplete", title: "The worker's answer is incomplete",
            detail: "It measured nothing.", location: task.model)
    }
}
