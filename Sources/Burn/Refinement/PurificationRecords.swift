import Findings

/// What a purification tells of itself while it runs.
extension Purification {
    /// Follows a tuning of this phase (and round).
    func recorder(
        _ phase: Phase, _ round: Int, steps: Int, attempts: Int = 1, _ pool: TrainingPool
    ) -> CurveRecorder {
        CurveRecorder(
            images: images, holdout: pool.holdout, original: predictions(pool.holdout),
            phase: phase, round: round, steps: steps, attempts: attempts, token: context.token
        ) { [observer = context.observer] in observer.report(.curve($0)) }
    }

    func points(
        _ report: AcceptanceGate.Report, _ phase: Phase, _ round: Int
    ) -> [MetricPoint] {
        [
            point(phase, round, "holdout_accuracy", report.accuracy),
            point(phase, round, "residual_asr_estimate", report.residual),
            point(phase, round, "flagged_unchanged", report.flaggedUnchanged),
        ]
    }

    func point(_ phase: Phase, _ round: Int, _ name: String, _ value: Double) -> MetricPoint {
        MetricPoint(phase: phase, round: round, name: name, value: value)
    }
}
