import Findings
import Foundation
import HTTPServer
import JobStore
import Support
import WorkerProtocol

/// A job as the API shows it.
struct JobResource: Encodable {
    var job: JobRecord

    private enum CodingKeys: String, CodingKey {
        case id, type, state, phase, phases, progress, model, dataset, evaluation, options
        case preliminary, verdict, metrics, error
        case attempt, links, paused, priority, slurm, webhook
        case modelChanged = "model_changed"
        case reviewsOf = "reviews_of"
        case createdAt = "created_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
    }

    private enum ProgressKeys: String, CodingKey {
        case fraction
        case etaSeconds = "eta_seconds"
    }

    private enum MetricsKeys: String, CodingKey {
        case before, after
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(job.id, forKey: .id)
        try container.encode(job.request.type, forKey: .type)
        try container.encode(job.state, forKey: .state)
        try container.encode(job.paused, forKey: .paused)
        try container.encode(job.request.priority, forKey: .priority)
        try container.encode(job.phase, forKey: .phase)
        var progress = container.nestedContainer(keyedBy: ProgressKeys.self, forKey: .progress)
        try progress.encode(OverallProgress.fraction(of: job), forKey: .fraction)
        try progress.encode(etaSeconds, forKey: .etaSeconds)
        try container.encode(job.request.model, forKey: .model)
        try container.encode(job.request.dataset, forKey: .dataset)
        try container.encode(job.request.evaluation, forKey: .evaluation)
        try container.encode(job.request.options, forKey: .options)
        try container.encode(job.request.reviewsOf, forKey: .reviewsOf)
        try container.encode(job.verdict == nil ? job.preliminary : nil, forKey: .preliminary)
        try container.encode(job.verdict, forKey: .verdict)
        var metrics = container.nestedContainer(keyedBy: MetricsKeys.self, forKey: .metrics)
        try metrics.encode(job.metrics?.before, forKey: .before)
        try metrics.encode(job.metrics?.after, forKey: .after)
        try container.encode(job.phases.map(FinishedPhaseResource.init), forKey: .phases)
        try container.encode(job.isModelChanged, forKey: .modelChanged)
        try container.encode(job.problem.map { ProblemResource($0) }, forKey: .error)
        try container.encode(Timestamp.text(job.createdAt), forKey: .createdAt)
        try container.encode(job.startedAt.map(Timestamp.text), forKey: .startedAt)
        try container.encode(job.finishedAt.map(Timestamp.text), forKey: .finishedAt)
        try container.encode(job.attempt, forKey: .attempt)
        try container.encode(job.placement.map { SlurmResource($0, of: job) }, forKey: .slurm)
        try container.encode(job.request.webhook.map { WebhookResource($0, job.delivery) }, forKey: .webhook)
        try container.encode(links, forKey: .links)
    }

    private var etaSeconds: Double? {
        if job.state == .succeeded { return 0 }
        guard job.state == .running, let left = job.secondsLeft, left.isFinite else { return nil }
        return max(0, (left * 10).rounded() / 10)
    }

    /// `self`, `events` and `metrics`; the others only while they can be followed.
    private var links: [String: String] {
        let path = Self.path(job.id)
        var links = ["self": path, "events": path + "/events", "metrics": path + "/metrics"]
        if job.hasSamples {
            for name in ["samples", "evidence", "reviews"] { links[name] = path + "/" + name }
        }
        if job.state == .succeeded, job.hasSamples { links["labels"] = path + "/labels" }
        if job.artifact(.purifiedModel) != nil { links["model"] = path + "/model" }
        switch job.state {
        case .queued, .running: links["cancel"] = path + "/cancel"
        case .failed, .cancelled: links["retry"] = path + "/retry"
        case .cancelling, .succeeded: break
        }
        return links
    }

    static func path(_ id: String) -> String { BasePath.link("/v1/jobs/\(id)") }
}

/// Where a job's task is, in Slurm's words. Every field is there.
struct SlurmResource: Encodable {
    private let placement: WorkerPlacement
    private let state: String

    init(_ placement: WorkerPlacement, of job: JobRecord) {
        self.init(placement, hasEnded: job.state.isTerminal)
    }

    init(_ placement: WorkerPlacement, hasEnded: Bool = false) {
        self.placement = placement
        state = hasEnded ? "ended" : placement.state.rawValue
    }

    private enum CodingKeys: String, CodingKey { case job, state, reason, position, node, request }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let isWaiting = state == "pending"
        try container.encode(placement.job, forKey: .job)
        try container.encode(state, forKey: .state)
        try container.encode(placement.reason, forKey: .reason)
        try container.encode(isWaiting ? placement.position : nil, forKey: .position)
        try container.encode(placement.node, forKey: .node)
        try container.encode(placement.request, forKey: .request)
    }
}

/// How far a whole job is, from how far its running phase is.
enum OverallProgress {
    /// The phases' shares of a job's time, about as on two cores with 10,000 images of 32 x 32.
    private static func shares(_ type: JobType) -> [(phase: Phase, share: Double)] {
        switch type {
        case .scan: [(.boundaryAnalysis, 0.85), (.detection, 0.1), (.evaluation, 0.05)]
        case .purify:
            [
                (.boundaryAnalysis, 0.3), (.detection, 0.05), (.decoupling, 0.2), (.refinement, 0.4),
                (.evaluation, 0.05),
            ]
        }
    }

    /// 0 to 1, in steps of 0.0001.
    static func fraction(of job: JobRecord) -> Double {
        if job.state == .succeeded { return 1 }
        guard let phase = job.phase else { return 0 }
        let within = min(max(job.progress.isFinite ? job.progress : 0, 0), 1)
        return fraction(
            job.request.type, phase: phase, round: job.round, rounds: job.request.options.rounds,
            within: within)
    }

    /// - Parameters:
    ///   - round: from 1 in refinement, 0 elsewhere.
    ///   - within: 0 to 1, of the phase (and round).
    static func fraction(_ type: JobType, phase: Phase, round: Int, rounds: Int, within: Double) -> Double {
        var done = 0.0
        for (step, share) in shares(type) {
            guard step == phase else {
                done += share
                continue
            }
            let before = phase == .refinement ? Double(max(round - 1, 0)) : 0
            let parts = phase == .refinement ? Double(max(rounds, 1)) : 1
            done += share * min((before + within) / parts, 1)
            break
        }
        return (min(done, 0.9999) * 10_000).rounded() / 10_000
    }
}
