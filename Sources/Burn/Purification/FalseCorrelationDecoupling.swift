import Evaluation
import Execution
import Tensors

/// Phase 1 of the method: breaks the correlation between trigger and target class by fine-tuning on restored
/// labels and transplanted triggers.
///
/// Tried with a falling learning rate until the acceptance gate holds; the best candidate is kept.
struct FalseCorrelationDecoupling {
    let original: GraphModel
    let tuning: FineTuning
    let gate: AcceptanceGate

    struct Outcome {
        var model: GraphModel
        var report: AcceptanceGate.Report
        var attempts: Int
        var accepted: Bool
    }

    static let learningRates = [0.02, 0.01, 0.005]

    func run(
        pool: TrainingPool, restored: Tensor?, before: AcceptanceGate.Report, progress: (Double) -> Void
    ) throws -> Outcome {
        var best: Outcome?
        for (attempt, rate) in Self.learningRates.enumerated() {
            let model = try original.copy(seed: tuning.seed)
            var attemptTuning = tuning
            attemptTuning.learningRate = rate
            attemptTuning.curves?.beginAttempt()
            try attemptTuning.run(model, pool: pool, restored: restored) { progress($0) }
            let report = try gate.measure(model)
            let accepted =
                report.accuracy >= before.accuracy - AcceptanceGate.firstTolerance
                && report.residual <= AcceptanceGate.workingResidual
            let outcome = Outcome(model: model, report: report, attempts: attempt + 1, accepted: accepted)
            if accepted { return outcome }
            if best.map({ Self.merit(report) > Self.merit($0.report) }) ?? true { best = outcome }
            best?.attempts = attempt + 1
        }
        return best ?? Outcome(model: original, report: before, attempts: 0, accepted: false)
    }

    /// Accuracy bought with as little backdoor as possible: what is compared when no attempt is accepted.
    private static func merit(_ report: AcceptanceGate.Report) -> Double { report.accuracy - report.residual }
}
