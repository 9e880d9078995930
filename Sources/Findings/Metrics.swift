/// The phases of a job, in order. Each is a durable step: it is finished once, and never run again.
public enum Phase: String, Codable, Hashable, Sendable, CaseIterable {
    /// Boundary distance, adversarial label and perturbation of every sample.
    case boundaryAnalysis = "boundary_analysis"
    /// Coherence, estimated trigger, verdict.
    case detection
    /// Phase 1 of the method: false correlation decoupling.
    case decoupling
    /// Phase 2 of the method: progressive refinement, several rounds.
    case refinement
    /// ACC, ASR and RA on the user's evaluation sets, and the purified model written.
    case evaluation
}

/// One measured number of a job.
public struct MetricPoint: Codable, Hashable, Sendable {
    public var phase: Phase
    /// 0 outside refinement; there the round, from 1.
    public var round: Int
    /// Such as `samples_per_second`, `holdout_accuracy`, `residual_asr_estimate`.
    public var name: String
    public var value: Double

    public init(phase: Phase, round: Int = 0, name: String, value: Double) {
        self.phase = phase
        self.round = round
        self.name = name
        self.value = value
    }
}

/// Accuracies on the user's evaluation sets, 0 to 1. Nil where the set was not given.
public struct EvaluationMetrics: Codable, Hashable, Sendable {
    /// Clean accuracy.
    public var acc: Double?
    /// Attack success rate: triggered images of other classes that land in the target class.
    public var asr: Double?
    /// Robust accuracy: triggered images given their true class.
    public var ra: Double?

    public init(acc: Double? = nil, asr: Double? = nil, ra: Double? = nil) {
        self.acc = acc
        self.asr = asr
        self.ra = ra
    }
}

/// A job's `metrics`.
public struct PurificationMetrics: Codable, Hashable, Sendable {
    public var before: EvaluationMetrics?
    public var after: EvaluationMetrics?

    public init(before: EvaluationMetrics? = nil, after: EvaluationMetrics? = nil) {
        self.before = before
        self.after = after
    }
}
