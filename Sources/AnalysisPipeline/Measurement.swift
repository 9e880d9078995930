import Burn
import Execution
import Findings

/// What is measured for the user, and decides nothing.
extension AnalysisJob {
    /// ACC, ASR and RA on the user's evaluation sets. Without a target class of the user's, ASR is that of the
    /// verdict's first target class, and is left out while there is none.
    func measure(_ model: GraphModel, verdict: Verdict?) throws -> Measured? {
        guard let evaluator else { return nil }
        if evaluator.target != nil { return try evaluator.examine(model, token: token) }
        let target = verdict?.kind == .allToAll ? nil : verdict?.targetClasses.first
        var measured = try Evaluator(clean: evaluator.clean, triggered: evaluator.triggered, target: target)
            .examine(model, token: token)
        if target == nil, verdict?.kind != .allToAll { measured.metrics.asr = nil }
        return measured
    }

    /// With the predictions of the clean set's images.
    typealias Measured = (metrics: EvaluationMetrics, clean: [Int]?)

    /// Class by class, on the user's clean images; without them, where the model was purified, on samples that
    /// were held out.
    func assessment(
        _ result: Purification.Result, before: Measured?, after: Measured?
    ) -> Assessment {
        var assessment = Assessment()
        if let set = evaluator?.clean, let predictions = before?.clean {
            assessment.evaluation = .init(
                names: set.classNames, labels: set.labels, before: predictions,
                after: result.model == nil ? nil : after?.clean)
        } else if let holdout = result.holdout {
            assessment.holdout = .init(
                names: images.classNames, labels: holdout.samples.map { images.labels[$0] },
                before: holdout.before, after: holdout.after)
        }
        return assessment
    }
}
