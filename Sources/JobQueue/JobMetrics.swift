import Findings
import Metrics
import Workers

/// What the queue's workers do, counted.
struct JobMetrics: Sendable {
    let factory: any MetricsFactory

    func phaseFinished(_ phase: Phase, seconds: Double) {
        Timer(label: "burn_job_phase_seconds", dimensions: [("phase", phase.rawValue)], factory: factory)
            .recordSeconds(max(seconds, 0))
    }

    func workerEnded(_ exit: WorkerExit) {
        Counter(label: "burn_worker_exits_total", dimensions: [("cause", cause(of: exit))], factory: factory)
            .increment()
    }

    /// - Parameter result: of a part that a helper was given: `finished` or `lost`.
    func partEnded(_ result: String) {
        Counter(label: "burn_job_parts_total", dimensions: [("result", result)], factory: factory).increment()
    }

    private func cause(of exit: WorkerExit) -> String {
        switch exit {
        case .finished: "finished"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .crashed(let signal, _): "signal_\(signal)"
        case .outOfMemory: "out_of_memory"
        case .memoryExceeded: "memory_limit"
        case .timeExceeded: "time_limit"
        case .hung: "hung"
        case .exited: "exited"
        case .broken: "protocol"
        case .lost(let loss): loss.cause
        case .notStarted: "not_started"
        case .receiverFailed: "not_stored"
        }
    }
}
