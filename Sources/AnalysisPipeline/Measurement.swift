import Burn
import Execution
import Findings

/// What is measured for the user, and decides nothing.
extension AnalysisJob {
    /// What a model sees in the images of the user's evaluation sets; nil where there are none.
    func answers(of model: GraphModel, help: Helpers? = nil) throws -> Evaluator.Answers? {
        try evaluator?.ask(model, threads: threads, token: token, help: help)
    }

    /// ACC, ASR and RA by a model's answers. Without a target class of the user's, ASR is that of the verdict's first target class,
    /// and is left out while there is none.
    func metrics(of answers: Evaluator.Answers?, verdict: Verdict?) -> EvaluationMetrics? {
        guard let evaluator, let answers else { return nil }
        if let target = evaluator.target { return evaluator.metrics(of: answers, target: target) }
        let target = verdict?.kind == .allToAll ? nil : verdict?.targetClasses.first
        var metrics = evaluator.metrics(of: answers, target: target)
        if target == nil, verdict?.kind != .allToAll { metrics.asr = nil }
        return metrics
    }

    /// Class by class, on the user's clean images; without them, where the model was purified, on samples that
    /// were held out.
    func assessment(
        _ result: Purification.Result, before: Evaluator.Answers?, after: Evaluator.Answers?
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
