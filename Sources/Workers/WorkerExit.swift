import Foundation
import Support

/// How a worker's run ended.
public enum WorkerExit: Sendable {
    /// It said that the task is done.
    case finished
    /// It said why the task cannot be done.
    case failed(Problem)
    /// It stopped, or was killed, after `WorkerControl.cancel`.
    case cancelled
    /// A signal that nobody here sent ended it.
    case crashed(signal: Int32, log: String)
    /// The kernel killed a process for want of memory while this one died of SIGKILL.
    case outOfMemory(log: String)
    /// It held more memory than it may, or was killed by the kernel at that limit.
    case memoryExceeded(bytes: Int, log: String)
    /// It ran longer than it may; it was killed.
    case timeExceeded(seconds: Int, log: String)
    /// No frame came for `heartbeatTimeout`; it was killed.
    case hung(log: String)
    /// It ended by itself without its last frame.
    case exited(code: Int32, log: String)
    /// It wrote something that is no frame; it was killed.
    case broken(reason: String, log: String)
    /// Whoever ran it, and not it, ended it.
    case lost(WorkerLoss)
    /// The process could not be started.
    case notStarted(Problem)
    /// The receiver of the messages threw; the worker was killed.
    case receiverFailed(any Error)

    /// Whether more memory or time than the task was given may mend it.
    public var wantsMore: Bool {
        if case .lost(let loss) = self { return loss.remedy == .enlarge }
        return problem?.isForWantOfMemory == true
    }

    /// The problem to show: the worker's own, or what happened to the process. Nil when it finished or was
    /// cancelled.
    public var problem: Problem? {
        switch self {
        case .finished, .cancelled: nil
        case .failed(let problem), .notStarted(let problem): problem
        case .lost(let loss): loss.problem
        case .crashed(let signal, let log):
            Self.infrastructure(
                "worker-crashed", "The worker crashed",
                "Signal \(signal) (\(String(cString: strsignal(signal)))).", log)
        case .outOfMemory(let log):
            Self.infrastructure(
                "worker-out-of-memory", "The worker ran out of memory", "The kernel killed it.", log)
        case .memoryExceeded(let bytes, let log):
            Problem(
                .unprocessable, code: Problem.MemoryCode.exceeded.rawValue,
                title: "The worker needs more memory than it may use",
                detail: Self.detail("It was stopped at \(bytes >> 20) MiB.", log),
                location: "limits.worker_memory",
                fix: "Raise limits.worker_memory in the service's configuration.")
        case .timeExceeded(let seconds, let log):
            Problem(
                .unprocessable, code: "worker-time-exceeded",
                title: "The worker needs more time than it may use",
                detail: Self.detail("It was stopped after \(seconds) seconds.", log),
                location: "limits.job_seconds",
                fix: "Raise limits.job_seconds (limits.import_seconds for an upload) in the service's "
                    + "configuration; a job that is tried again goes on from its last finished phase.")
        case .hung(let log):
            Self.infrastructure(
                "worker-hung", "The worker gave no sign of life", "It was killed after its time-out.", log)
        case .exited(let code, let log):
            Self.infrastructure(
                "worker-exited", "The worker ended before its task", "Exit code \(code).", log)
        case .broken(let reason, let log):
            Self.infrastructure(
                "worker-protocol", "The worker sent something that is no message", reason, log)
        case .receiverFailed(let error as Problem): error
        case .receiverFailed(let error):
            Self.infrastructure(
                "results-not-stored", "The results of the worker could not be stored", "\(error)", "")
        }
    }

    private static func infrastructure(_ code: String, _ title: String, _ detail: String, _ log: String)
        -> Problem
    {
        Problem(.internal, code: code, title: title, detail: Self.detail(detail, log))
    }

    private static func detail(_ detail: String, _ log: String) -> String {
        let lines = log.split(separator: "\n").suffix(5).joined(separator: "\n")
        return lines.isEmpty ? detail : "\(detail) Its last words:\n\(lines)"
    }
}
