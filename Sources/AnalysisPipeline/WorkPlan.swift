import Burn
import Dispatch
import Findings
import Synchronization
import WorkerProtocol

/// Turns progress inside a phase into progress reports with the seconds that are left in the whole job.
///
/// Work is counted in passes of one sample through the model (a gradient is about three); the speed is what
/// this run has shown so far.
final class WorkPlan: RunObserver {
    struct Step: Hashable, Sendable {
        var phase: Phase
        var round: Int
        var passes: Double
    }

    private struct State {
        var done = 0.0
        var current = 0
        var lastReport = ContinuousClock.now - .seconds(1)
    }

    private let steps: [Step]
    private let started = ContinuousClock.now
    private let report: @Sendable (WorkerMessage) -> Void
    private let state = Mutex(State())

    init(_ steps: [Step], report: @escaping @Sendable (WorkerMessage) -> Void) {
        self.steps = steps
        self.report = report
    }

    /// Passes over steps that an earlier attempt finished, or that are not needed.
    func skip(through phase: Phase, round: Int) {
        state.withLock { state in
            while state.current < steps.count {
                let step = steps[state.current]
                state.current += 1
                if step.phase == phase, step.round == round { break }
            }
        }
    }

    /// Reports, at most ten times a second, that `fraction` of a phase is done.
    func advance(_ phase: Phase, round: Int, _ fraction: Double) {
        let message: WorkerMessage? = state.withLock { state in
            guard let index = steps.firstIndex(where: { $0.phase == phase && $0.round == round }) else {
                return nil
            }
            while state.current < index {
                state.done += steps[state.current].passes
                state.current += 1
            }
            let now = ContinuousClock.now
            guard fraction >= 1 || now - state.lastReport >= .milliseconds(100) else { return nil }
            state.lastReport = now
            let done = state.done + fraction * steps[index].passes
            let left = steps[index...].reduce(0) { $0 + $1.passes } - fraction * steps[index].passes
            let elapsed = (now - started) / .seconds(1)
            return .progress(
                WorkerProgress(
                    phase: phase, round: round, fraction: min(1, fraction),
                    secondsLeft: elapsed > 1 && done > 0 ? elapsed * left / done : nil))
        }
        if let message { report(message) }
    }

    func report(_ event: RunEvent) { report(WorkerMessage(event)) }
}
