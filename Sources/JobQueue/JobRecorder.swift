import ArtifactStore
import Findings
import Foundation
import JobStore
import Logging
import Support
import WorkerProtocol

/// Writes what a job's worker reports into the stores.
struct JobRecorder {
    let attempt: JobAttempt
    /// The worker's output directory.
    let directory: String
    let store: JobStore
    let artifacts: ArtifactStore
    let progressInterval: Duration
    let metrics: JobMetrics
    let logger: Logger
    private var lastProgress: (report: WorkerProgress, at: ContinuousClock.Instant)?
    /// Changes of phase or round that were stored at once.
    private var changes = 0
    private static let mostChanges = 200
    /// No finding is about another. Of a small data set more are taken than it has.
    private let samples: Int
    private static let fewSamples = 10_000
    /// Findings that were stored, again and again for the same samples in rounds of refinement.
    private var findings = 0
    private static let mostRounds = 100

    init(
        attempt: JobAttempt, directory: String, store: JobStore, artifacts: ArtifactStore,
        progressInterval: Duration, metrics: JobMetrics, logger: Logger
    ) throws {
        self.attempt = attempt
        self.directory = directory
        self.store = store
        self.artifacts = artifacts
        self.progressInterval = progressInterval
        self.metrics = metrics
        self.logger = logger
        samples = max(Self.fewSamples, try store.samples(in: attempt) ?? 0)
    }

    /// - Throws: `StaleAttempt`, or the failure of a store.
    mutating func take(_ message: WorkerMessage) throws {
        switch message {
        case .progress(let progress): try take(progress)
        case .phaseFinished(let phase, let round, let seconds):
            try store.recordPhase(phase, round: round, seconds: seconds, by: attempt)
            metrics.phaseFinished(phase, seconds: seconds)
        case .metrics(let points): try store.record(points, by: attempt)
        case .preliminary(let verdict): try store.record(verdict, by: attempt)
        case .verdict(let verdict): try store.record(verdict, by: attempt)
        case .samples(let samples): try take(samples)
        case .evaluation(let metrics): try store.record(metrics, by: attempt)
        case .artifact(let artifact):
            let blob = try artifacts.ingest(file: artifact.file, in: directory)
            try store.record(blob, as: artifact.role, label: artifact.label, by: attempt) {
                try artifacts.require($0)
            }
        case .curve(let points): try store.record(points, by: attempt)
        case .triggers(let triggers): try store.record(triggers, by: attempt)
        case .assessment(let assessment): try store.record(assessment, by: attempt)
        case .log(let text): logger.info("worker", metadata: ["message": "\(text.prefix(1_000))"])
        case .heartbeat, .uploadChecked, .modelProbed, .agreement, .datasetImported, .rendered, .seeking,
            .part,
            .dismissed, .helping, .partFinished, .failed, .finished:
            break
        }
    }

    /// - Throws: `Problem` `worker-flood` for findings about samples that are none, or too many rounds of them.
    private mutating func take(_ samples: [SampleFinding]) throws {
        findings += samples.count
        let most = self.samples
        guard samples.allSatisfy({ (0..<most).contains($0.index) }), findings / Self.mostRounds <= most else {
            throw Problem(
                .unprocessable, code: "worker-flood", title: "The worker sent more than any task needs",
                detail:
                    "It was stopped: findings are taken of \(most) samples, \(Self.mostRounds) times of each.",
                fix: "Do not trust this input. If it is your own, report it with the service's version.")
        }
        try store.record(samples, by: attempt)
    }

    /// Stores a report when the phase or round changes, and otherwise not more often than the interval.
    private mutating func take(_ progress: WorkerProgress) throws {
        if let last = lastProgress, .now - last.at < progressInterval {
            if last.report.phase == progress.phase, last.report.round == progress.round { return }
            changes += 1
            if changes > Self.mostChanges { return }
        }
        try store.record(progress, by: attempt)
        lastProgress = (progress, .now)
    }
}
