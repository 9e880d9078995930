import Findings
import Foundation

/// What one purification of the benchmark came to.
public struct BenchResult: Codable, Sendable {
    public struct PhaseSeconds: Codable, Hashable, Sendable {
        public var phase: Phase
        /// Of all the phase's rounds.
        public var seconds: Double
    }

    public var benchCase: BenchCase
    public var before: EvaluationMetrics
    public var after: EvaluationMetrics
    public var detection: DetectionScore
    public var verdict: Verdict
    /// Whether the purified model's file differs from the model's.
    public var modelChanged: Bool
    /// ASR as the job estimates it for its own purified model, without the trigger.
    public var estimatedResidualASR: Double?
    public var phases: [PhaseSeconds]
    public var totalSeconds: Double
    /// Nil where it was not asked for, or nothing was there to be relearned.
    public var relearning: Relearning?

    enum CodingKeys: String, CodingKey {
        case before, after, detection, verdict, phases, relearning
        case benchCase = "case"
        case modelChanged = "model_changed"
        case estimatedResidualASR = "estimated_residual_asr"
        case totalSeconds = "total_seconds"
    }

    /// Defence effectiveness rating: (max(0, ASR drop) - max(0, ACC drop) + 1) / 2 (Zhu et al., "Enhancing
    /// Fine-Tuning Based Backdoor Defense with Sharpness-Aware Minimization", ICCV 2023). Nil without an
    /// attack.
    public var defenceEffectiveness: Double? {
        guard let asrBefore = before.asr, let asrAfter = after.asr, let accBefore = before.acc,
            let accAfter = after.acc
        else { return nil }
        return (max(0, asrBefore - asrAfter) - max(0, accBefore - accAfter) + 1) / 2
    }

    /// Whether the verdict names the attack's target, and it alone; for all-to-all, several classes. Nil
    /// without an attack.
    public var findsTarget: Bool? {
        guard let attack = benchCase.attack else { return nil }
        return attack == "all-to-all"
            ? verdict.kind == .allToAll : verdict.targetClasses == [benchCase.target]
    }
}

/// What the benchmark wants to know of a purification, whoever ran it.
public struct PurificationOutcome: Sendable {
    public var verdict: Verdict
    public var samples: [SampleFinding]
    public var phases: [(phase: Phase, seconds: Double)]
    public var points: [MetricPoint]
    /// The purified model's file.
    public var model: URL

    public init(
        verdict: Verdict, samples: [SampleFinding], phases: [(phase: Phase, seconds: Double)],
        points: [MetricPoint], model: URL
    ) {
        self.verdict = verdict
        self.samples = samples
        self.phases = phases
        self.points = points
        self.model = model
    }
}
