import Findings
import Workers

/// Told of what the queue's workers do, for metrics. Called on the attempts' threads: must not block.
public protocol JobQueueObserver: Sendable {
    func phaseFinished(_ phase: Phase, seconds: Double)
    func workerEnded(_ exit: WorkerExit)
}
