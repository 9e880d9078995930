import ArtifactStore
import Foundation
import JobStore
import Logging
import WorkerProtocol

/// Writes what a job's worker reports into the stores.
struct JobRecorder {
    let attempt: JobAttempt
    /// The worker's output directory.
    let directory: String
    let store: JobStore
    let artifacts: ArtifactStore
    let progressInterval: Duration
    let observer: (any JobQueueObserver)?
    let logger: Logger
    private var lastProgress: (report: WorkerProgress, at: ContinuousClock.Instant)?

    init(
        attempt: JobAttempt, directory: String, store: JobStore, artifacts: ArtifactStore,
        progressInterval: Duration, observer: (any JobQueueObserver)?, logger: Logger
    ) {
        self.attempt = attempt
        self.directory = directory
        self.store = store
        self.artifacts = artifacts
        self.progressInterval = progressInterval
        self.observer = observer
        self.logger = logger
    }

    /// - Throws: `StaleAttempt`, or the failure of a store.
    mutating func take(_ message: WorkerMessage) throws {
        switch message {
        case .progress(let progress): try take(progress)
        case .phaseFinished(let phase, let round, let seconds):
            try store.recordPhase(phase, round: round, seconds: seconds, by: attempt)
            observer?.phaseFinished(phase, seconds: seconds)
        case .metrics(let points): try store.record(points, by: attempt)
        case .verdict(let verdict): try store.record(verdict, by: attempt)
        case .samples(let samples): try store.record(samples, by: attempt)
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
        case .heartbeat, .uploadChecked, .modelProbed, .datasetImported, .rendered, .failed, .finished: break
        }
    }

    /// Stores a report when the phase or round changes, and otherwise not more often than the interval.
    private mutating func take(_ progress: WorkerProgress) throws {
        if let last = lastProgress, last.report.phase == progress.phase, last.report.round == progress.round,
            .now - last.at < progressInterval
        {
            return
        }
        try store.record(progress, by: attempt)
        lastProgress = (progress, .now)
    }
}
