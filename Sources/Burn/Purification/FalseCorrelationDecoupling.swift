import Execution
import Tensors

/// Phase 1 of the method: breaks the correlation between trigger and target class by fine-tuning on restored
/// labels and transplanted triggers.
///
/// What the evidence calls for is tried with a falling learning rate until the acceptance gate holds, then other
/// treatments; the best candidate is kept.
struct FalseCorrelationDecoupling {
    let original: GraphModel
    let tuning: FineTuning
    let gate: AcceptanceGate
    /// In the order in which they are tried.
    let treatments: [Treatment]

    struct Outcome {
        var model: GraphModel
        var report: AcceptanceGate.Report
        var treatment: Treatment
        var attempts: Int
        var accepted: Bool
    }

    private struct Attempt {
        var treatment: Treatment
        var learningRate: Double
    }

    static let learningRates = [0.02, 0.01, 0.005]
    /// Of the treatments that are tried after the first.
    private static let laterRate = 0.01

    private var plan: [Attempt] {
        treatments.prefix(1).flatMap { first in
            Self.learningRates.map { Attempt(treatment: first, learningRate: $0) }
        } + treatments.dropFirst().map { Attempt(treatment: $0, learningRate: Self.laterRate) }
    }

    /// The most fine-tunings that `treatments` can make.
    static func mostAttempts(_ treatments: [Treatment]) -> Int {
        learningRates.count + max(0, treatments.count - 1)
    }

    /// `restored` holds a row of class probabilities for every entry of `pool.poison`.
    func run(
        pool: TrainingPool, restored: Tensor?, before: AcceptanceGate.Report, progress: (Double) -> Void
    ) throws -> Outcome {
        var best = Outcome(
            model: original, report: before, treatment: treatments.first ?? .drop, attempts: 0,
            accepted: false)
        for (number, attempt) in plan.enumerated() {
            let model = try original.copy(seed: tuning.seed)
            var attemptTuning = tuning
            attemptTuning.learningRate = attempt.learningRate
            if !attempt.treatment.transplants { attemptTuning.transplant = .none }
            attemptTuning.curves?.beginAttempt()
            try attemptTuning.run(
                model, pool: pool, restored: attempt.treatment.restores ? restored : nil
            ) { progress($0) }
            let report = try gate.measure(model)
            let accepted = gate.shortfall(report, before: before) == nil
            if accepted || number == 0 || Self.merit(report) > Self.merit(best.report) {
                best = Outcome(
                    model: model, report: report, treatment: attempt.treatment, attempts: number + 1,
                    accepted: accepted)
            }
            best.attempts = number + 1
            if accepted { break }
        }
        return best
    }

    /// Accuracy bought with as little backdoor as possible: what is compared when no attempt is accepted.
    private static func merit(_ report: AcceptanceGate.Report) -> Double { report.accuracy - report.residual }
}
