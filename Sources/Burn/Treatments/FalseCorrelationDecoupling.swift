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
    let treatments: [any Treatment]

    struct Outcome {
        var model: GraphModel
        var report: AcceptanceGate.Report
        /// Nil where every fine-tuning diverged: `model` is the original.
        var treatment: (any Treatment)?
        var attempts: Int
        var diverged = 0
        var accepted: Bool
    }

    private struct Attempt {
        var treatment: any Treatment
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
    static func mostAttempts(_ treatments: [any Treatment]) -> Int {
        learningRates.count + max(0, treatments.count - 1)
    }

    /// - Parameter material: all that there is; a treatment takes its part of it.
    func run(
        pool: TrainingPool, material: TrainingMaterial, before: AcceptanceGate.Report,
        progress: (Double) -> Void
    ) throws -> Outcome {
        var best = Outcome(model: original, report: before, treatment: nil, attempts: 0, accepted: false)
        for (number, attempt) in plan.enumerated() {
            best.attempts = number + 1
            let model = try original.copy(seed: tuning.seed)
            var attemptTuning = tuning
            attemptTuning.learningRate = attempt.learningRate
            attemptTuning.curves?.beginAttempt()
            do {
                try attemptTuning.run(
                    model, pool: pool, material: attempt.treatment.material(from: material),
                    progress: progress)
            } catch is TrainingDiverged {
                best.diverged += 1
                continue
            }
            let report = try gate.measure(model)
            let accepted = gate.shortfall(report, before: before) == nil
            if accepted || best.treatment == nil || Self.merit(report) > Self.merit(best.report) {
                (best.model, best.report, best.accepted) = (model, report, accepted)
                best.treatment = attempt.treatment
            }
            if accepted { break }
        }
        return best
    }

    /// Accuracy bought with as little backdoor as possible: what is compared when no attempt is accepted.
    private static func merit(_ report: AcceptanceGate.Report) -> Double { report.accuracy - report.residual }
}
