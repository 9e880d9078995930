import Findings
import Support

/// How much of detection is done and left, in forwards of one sample through the model (`Passes`), and what its stages cost.
///
/// The searches follow one another, round after round where they find backdoors. So what is left is an
/// estimate, which every search corrects once it knows what it has to do. The fraction only ever grows: it moves by the
/// share of what is left that was done.
package final class DetectionWork: Sendable {
    package struct Progress: Hashable, Sendable {
        /// 0 to 1.
        package var fraction: Double
        package var passesLeft: Double
    }

    /// In the order in which they run, once or in every round.
    enum Stage: CaseIterable, Sendable {
        case bundles, triggers, featureChanges, classPatterns, commonPatterns, styles, features, completion,
            distances

        /// As the account of the cost has it.
        var accounted: StageCost.Stage {
            switch self {
            case .bundles: .bundles
            case .triggers: .triggers
            case .featureChanges: .featureChanges
            case .classPatterns: .classPatterns
            case .commonPatterns: .commonPatterns
            case .styles: .styles
            case .features: .features
            case .completion: .completion
            case .distances: .distances
            }
        }
    }

    private struct State {
        var stage = Stage.bundles
        /// Passes that each stage still needs.
        var left: [Stage: Double]
        /// What the running stage was expected to need.
        var planned: Double
        var fraction = 0.0
        var costs: [StageCost] = []

        var passesLeft: Double { left.values.reduce(0, +) }
    }

    private let state: Mutex<State>
    private let measure: @Sendable (StageCost.Stage) -> StageCost
    private let report: @Sendable (Progress) -> Void

    /// - Parameter measure: what was spent since it was asked last, which a stage is given.
    init(
        _ costs: DetectionCosts, measure: @escaping @Sendable (StageCost.Stage) -> StageCost,
        report: @escaping @Sendable (Progress) -> Void
    ) {
        self.measure = measure
        state = Mutex(State(left: costs.expected, planned: costs.expected[.bundles] ?? 0))
        self.report = report
    }

    /// A stage that overruns its estimate is taken to need this share of it still.
    private static let leastLeft = 0.1
    private static let mostBeforeTheEnd = 0.999

    /// Goes on to a stage; the running one is done. Those between them follow in a later round, if at all.
    /// - Parameter passes: what it needs, now that this is known.
    func enter(_ stage: Stage, passes: Double? = nil) {
        state.withLock { state in
            end(state.stage, &state)
            state.left[state.stage] = nil
            state.stage = stage
            if let passes { state.left[stage] = passes }
            state.planned = state.left[stage] ?? 0
        }
    }

    /// Corrects what a later stage needs.
    func expect(_ stage: Stage, passes: Double) {
        state.withLock { $0.left[stage] = passes }
    }

    /// Work was done for the running stage.
    func add(_ passes: Double) {
        state.withLock { state in
            let before = state.passesLeft
            let least = Self.leastLeft * state.planned
            state.left[state.stage] = max(least, (state.left[state.stage] ?? 0) - passes)
            if before > 0 {
                let moved = state.fraction + (1 - state.fraction) * passes / (before + passes)
                state.fraction = max(state.fraction, min(Self.mostBeforeTheEnd, moved))
            }
            // Within the lock: several threads work, and what one of them reports late would go backwards.
            report(Progress(fraction: state.fraction, passesLeft: state.passesLeft))
        }
    }

    /// A stage that was entered again is one.
    private func end(_ stage: Stage, _ state: inout State) {
        let spent = measure(stage.accounted)
        if let index = state.costs.firstIndex(where: { $0.stage == spent.stage }) {
            state.costs[index].add(spent)
        } else {
            state.costs.append(spent)
        }
    }

    /// - Returns: what each stage cost, in the order in which they ran.
    func finish() -> [StageCost] {
        state.withLock { state in
            end(state.stage, &state)
            state.left = [:]
            state.fraction = 1
            report(Progress(fraction: 1, passesLeft: 0))
            return state.costs
        }
    }
}
