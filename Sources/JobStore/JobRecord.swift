import ArtifactStore
import Findings
import Foundation
import Support
import WorkerProtocol

public enum JobState: String, Codable, Hashable, Sendable, CaseIterable {
    case queued, running, cancelling, succeeded, failed, cancelled

    public var isTerminal: Bool {
        switch self {
        case .queued, .running, .cancelling: false
        case .succeeded, .failed, .cancelled: true
        }
    }
}

/// What a client asks for: the body of `POST /v1/jobs`, with its field names.
public struct JobRequest: Codable, Hashable, Sendable {
    /// The user's evaluation sets; used for the reported accuracies and for nothing else.
    public struct Evaluation: Codable, Hashable, Sendable {
        /// Data set ids.
        public var clean: String?
        public var triggered: String?
        public var targetClass: Int?

        public init(clean: String? = nil, triggered: String? = nil, targetClass: Int? = nil) {
            self.clean = clean
            self.triggered = triggered
            self.targetClass = targetClass
        }

        enum CodingKeys: String, CodingKey {
            case clean, triggered
            case targetClass = "target_class"
        }
    }

    public var type: JobType
    /// Model id.
    public var model: String
    /// Data set id.
    public var dataset: String
    public var evaluation: Evaluation?
    public var options: JobOptions
    /// `priorities`; among the jobs of one owner, higher ones run first.
    public var priority: Int
    /// The id of a job whose reviews a purification goes by, as they are when it is submitted.
    public var reviewsOf: String?
    public var webhook: Webhook?

    public static let priorities = -10...10

    public init(
        type: JobType, model: String, dataset: String, evaluation: Evaluation? = nil,
        options: JobOptions = JobOptions(), priority: Int = 0, reviewsOf: String? = nil,
        webhook: Webhook? = nil
    ) {
        self.type = type
        self.model = model
        self.dataset = dataset
        self.evaluation = evaluation
        self.options = options
        self.priority = priority
        self.reviewsOf = reviewsOf
        self.webhook = webhook
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        type = try container.decode(JobType.self, forKey: .type)
        model = try container.decode(String.self, forKey: .model)
        dataset = try container.decode(String.self, forKey: .dataset)
        evaluation = try container.decodeIfPresent(Evaluation.self, forKey: .evaluation)
        options = try container.decodeIfPresent(JobOptions.self, forKey: .options) ?? JobOptions()
        priority = try container.decodeIfPresent(Int.self, forKey: .priority) ?? 0
        reviewsOf = try container.decodeIfPresent(String.self, forKey: .reviewsOf)
        webhook = try container.decodeIfPresent(Webhook.self, forKey: .webhook)
    }

    enum CodingKeys: String, CodingKey {
        case type, model, dataset, evaluation, options, priority, webhook
        case reviewsOf = "reviews_of"
    }
}

/// A result file of a job, kept in the artifact store.
public struct JobArtifact: Codable, Hashable, Sendable {
    public var role: WorkerArtifact.Role
    /// The class that it is about; nil for what is of the whole job.
    public var label: Int?
    public var blob: Blob
}

/// A finished phase (and, in refinement, round) of a job.
public struct PhaseRecord: Codable, Hashable, Sendable {
    public var phase: Phase
    public var round: Int
    public var seconds: Double
    public var finishedAt: Date
}

/// Why a job that was running waits, where that is not its turn.
public enum PauseReason: String, Codable, Hashable, Sendable, CaseIterable {
    case diskFull = "disk_full"
}

/// A job as the store holds it.
public struct JobRecord: Hashable, Sendable {
    /// `job_…`.
    public var id: String
    /// The id of the API key it came with, if any.
    public var owner: String?
    public var request: JobRequest
    /// The uploaded model's content.
    public var modelSHA256: String
    public var state: JobState
    /// Only ever set while queued; the job goes on by itself.
    public var paused: PauseReason?
    /// The phase that runs or ran last, as the worker reported it.
    public var phase: Phase?
    public var round: Int
    /// 0 to 1, of that phase.
    public var progress: Double
    public var secondsLeft: Double?
    /// How many times a worker was started for it; the fencing number of the current attempt.
    public var attempt: Int
    /// What the verdict will be, where the running or last attempt knew that before it.
    public var preliminary: PreliminaryVerdict?
    public var verdict: Verdict?
    public var metrics: PurificationMetrics?
    /// Set exactly when failed.
    public var problem: Problem?
    public var phases: [PhaseRecord]
    public var artifacts: [JobArtifact]
    public var createdAt: Date
    public var startedAt: Date?
    /// Set exactly in a terminal state.
    public var finishedAt: Date?
    /// Whether the per-sample findings are stored.
    public var hasSamples: Bool
    /// Where its task is on a cluster, or was last; nil where it runs beside the service.
    public var placement: WorkerPlacement?
    /// Of the job's last end; nil before it, and without a webhook.
    public var delivery: DeliveryRecord?

    public func artifact(_ role: WorkerArtifact.Role, label: Int? = nil) -> Blob? {
        artifacts.first { $0.role == role && $0.label == label }?.blob
    }

    /// Whether the purified model differs from the uploaded one; nil while there is none.
    public var isModelChanged: Bool? { artifact(.purifiedModel).map { $0.sha256 != modelSHA256 } }
}
