import Burn
import Dispatch
import Execution
import Findings
import Synchronization
import WorkerProtocol

/// Turns progress inside a phase into progress reports with the seconds that are left in the whole job.
///
/// Work is counted in forwards of one sample through the model (`Passes`). The speed is that of the passes
/// that this run has made so far, whatever was planned for them.
final class WorkPlan: RunObserver {
    struct Step: Hashable, Sendable {
        var phase: Phase
        var round: Int
        var passes: Double
    }

    private struct State {
        var current = 0
        var lastReport = ContinuousClock.now - .seconds(1)
    }

    private let steps: [Step]
    private let started = ContinuousClock.now
    private let passes: PassCounter
    private let passesBefore: Passes
    private let report: @Sendable (WorkerMessage) -> Void
    private let state = Mutex(State())

    init(_ steps: [Step], passes: PassCounter, report: @escaping @Sendable (WorkerMessage) -> Void) {
        self.steps = steps
        self.passes = passes
        passesBefore = passes.count
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

    func advance(_ phase: Phase, round: Int, _ fraction: Double) {
        advance(phase, round: round, fraction, passesLeft: nil)
    }

    /// Reports, at most ten times a second, that `fraction` of a phase is done.
    /// - Parameter passesLeft: what the phase still needs, where that is known better than from the plan.
    func advance(_ phase: Phase, round: Int, _ fraction: Double, passesLeft: Double?) {
        let message: WorkerMessage? = state.withLock { state in
            guard let index = steps.firstIndex(where: { $0.phase == phase && $0.round == round }) else {
                return nil
            }
            state.current = max(state.current, index)
            let now = ContinuousClock.now
            guard fraction >= 1 || now - state.lastReport >= .milliseconds(100) else { return nil }
            state.lastReport = now
            let done = (passes.count - passesBefore).inForwards
            let left = self.passesLeft(at: index, fraction, passesLeft)
            let elapsed = (now - started) / .seconds(1)
            return .progress(
                WorkerProgress(
                    phase: phase, round: round, fraction: min(1, fraction),
                    secondsLeft: elapsed > 1 && done > 0 ? elapsed * left / done : nil))
        }
        if let message { report(message) }
    }

    /// What the whole job still needs.
    func passesLeft(at index: Int, _ fraction: Double, _ ofStep: Double?) -> Double {
        let later = steps[(index + 1)...].reduce(0) { $0 + $1.passes }
        return later + (ofStep ?? (1 - min(1, fraction)) * steps[index].passes)
    }

    func report(_ event: RunEvent) { report(WorkerMessage(event)) }

    func report(_ verdict: PreliminaryVerdict) { report(WorkerMessage.preliminary(verdict)) }
}
