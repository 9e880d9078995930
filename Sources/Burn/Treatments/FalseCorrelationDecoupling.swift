import Execution
import Findings
import Tensors

/// Phase 1 of the method: breaks the correlation between trigger and target class by fine-tuning on restored
/// labels and transplanted triggers.
///
/// What the evidence calls for is tried at several learning rates until the acceptance gate holds, then other treatments; the
/// best candidate is kept.
struct FalseCorrelationDecoupling {
    /// The suspicious model, and what it says.
    let original: ModelAnswers
    let tuning: FineTuning
    let gate: AcceptanceGate
    /// In the order in which they are tried.
    let treatments: [any Treatment]
    /// A candidate as it will be given back, which an upload of half or whole numbers rounds: that one is judged.
    var rounded: (GraphModel) throws -> GraphModel = { $0 }

    struct Outcome {
        var answers: ModelAnswers
        var report: AcceptanceGate.Report
        /// Nil where every fine-tuning diverged: the answers are the original's.
        var treatment: (any Treatment)?
        var attempts = 0
        var diverged = 0
        var accepted = false
    }

    /// What an attempt came to.
    enum End {
        /// The gate holds, or can't tell more.
        case settled
        /// The trigger still works.
        case tooLittle
        /// Accuracy was lost, or the training diverged.
        case tooMuch
        /// The trigger still works, and accuracy was lost.
        case both
    }

    /// Of the first treatment, at most.
    static let mostRates = 3
    /// Of the treatments that are tried after the first.
    private static let laterRate = 0.01
    private static let highestRate = 0.02

    /// The most fine-tunings that `treatments` can make.
    static func mostAttempts(_ treatments: [any Treatment]) -> Int {
        mostRates + max(0, treatments.count - 1)
    }

    /// The rate after one that did too little or too much; nil where the next would go back.
    static func rate(after rate: Double, _ end: End, first: Double) -> Double? {
        switch end {
        case .settled, .both: nil
        case .tooLittle: rate < first || rate >= highestRate ? nil : 2 * rate
        case .tooMuch: rate > first ? nil : rate / 2
        }
    }

    /// - Parameter material: all that there is; a treatment takes its part of it.
    func run(
        pool: TrainingPool, material: TrainingMaterial, before: AcceptanceGate.Report,
        progress: (Double) -> Void
    ) throws -> Outcome {
        var best = Outcome(answers: original, report: before)
        for (place, treatment) in treatments.enumerated() {
            let first = place == 0 ? treatment.learningRate : Self.laterRate
            var rate: Double? = first
            for _ in 0..<(place == 0 ? Self.mostRates : 1) {
                guard let current = rate else { break }
                let end = try attempt(treatment, at: current, pool, material, before, &best, progress)
                if end == .settled { return best }
                rate = Self.rate(after: current, end, first: first)
            }
        }
        return best
    }

    private func attempt(
        _ treatment: any Treatment, at rate: Double, _ pool: TrainingPool,
        _ material: TrainingMaterial, _ before: AcceptanceGate.Report, _ best: inout Outcome,
        _ progress: (Double) -> Void
    ) throws -> End {
        best.attempts += 1
        let model = try original.model.copy(seed: tuning.seed)
        var tuning = tuning
        tuning.learningRate = rate
        tuning.batch = treatment.batch
        tuning.curves?.beginAttempt()
        do {
            try tuning.run(
                model, pool: pool, material: treatment.material(from: material), progress: progress)
        } catch is TrainingDiverged {
            best.diverged += 1
            return .tooMuch
        }
        let answers = try original.asked(of: rounded(model))
        let report = try gate.measure(answers)
        let accepted = gate.shortfall(report, before: before) == nil
        if accepted || best.treatment == nil || merit(report) > merit(best.report) {
            (best.answers, best.report, best.accepted, best.treatment) = (
                answers, report, accepted, treatment
            )
        }
        if accepted { return .settled }
        if gate.triggerShortfall(report) != nil {
            return gate.losesAccuracy(report, before: before) ? .both : .tooLittle
        }
        return gate.canJudge ? .tooMuch : .settled
    }

    /// Accuracy, where it can be judged, bought with as little backdoor as possible: what is compared when no attempt is accepted.
    private func merit(_ report: AcceptanceGate.Report) -> Double {
        (gate.canJudge ? report.accuracy : 0) - max(report.residual, report.untracedUnchanged)
    }
}
