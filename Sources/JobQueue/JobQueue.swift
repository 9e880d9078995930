import ArtifactStore
import Findings
import JobStore
import Logging
import Problems
import WorkerProtocol
import WorkerSupervisor

/// Runs imports and jobs on worker processes, and owns every change of their state.
public actor JobQueue {
    public struct Configuration: Sendable {
        /// Jobs that run at the same time.
        public var slots = 1
        /// Imports and probes that run at the same time, beside the jobs.
        public var importSlots = 1
        public var importLimits = ImportLimits()
        /// Queued jobs beyond this are refused (429).
        public var maximumQueuedJobs = 1_000
        /// Retries of an infrastructure failure.
        public var retries = 3
        /// Delay before the first retry; doubles each time.
        public var backoff: Duration = .seconds(2)
        public var progressInterval: Duration = .milliseconds(250)
        public init() {}
    }

    public init(
        store: JobStore, artifacts: ArtifactStore, supervisor: WorkerSupervisor,
        configuration: Configuration = Configuration(), logger: Logger = Logger(label: "burn.queue")
    ) { fatalError() }

    /// Takes back what an earlier process left, and starts the pool.
    public func start() async throws { fatalError() }
    /// Stops workers softly; their jobs go back to queued and go on after the next `start`.
    public func shutdown() async { fatalError() }

    /// Registers a committed upload and queues its probe; the record says `importing`.
    public func addModel(name: String, blob: Blob, summary: ModelSummary? = nil) async throws -> ModelRecord {
        fatalError()
    }
    public func addDataset(name: String, blob: Blob) async throws -> DatasetRecord { fatalError() }
    /// - Throws: `.notFound`; `.conflict` `model-in-use` while a job that is not finished needs it.
    public func deleteModel(_ id: String) async throws { fatalError() }
    public func deleteDataset(_ id: String) async throws { fatalError() }
    /// The record as soon as it is not importing any more, or as it is after `timeout`.
    public func waitForModel(_ id: String, timeout: Duration) async throws -> ModelRecord { fatalError() }
    public func waitForDataset(_ id: String, timeout: Duration) async throws -> DatasetRecord { fatalError() }

    /// - Parameters:
    ///   - idempotencyKey: the Idempotency-Key header.
    ///   - requestHash: digest of the request's canonical body; the same key with another digest throws
    ///     `Problem` `.unprocessable` `idempotency-key-reused`.
    /// - Throws: `.unprocessable` `model-not-found` / `dataset-not-found` (location: the JSON pointer), or
    ///   the problem of a rejected input; `.rateLimited` `queue-full`.
    public func submit(_ request: JobRequest, idempotencyKey: String?, requestHash: String) async throws
        -> Submission
    { fatalError() }
    /// - Throws: `.notFound`; `.conflict` `job-finished` in another terminal state than cancelled.
    public func cancel(_ job: String) async throws -> JobRecord { fatalError() }
    /// Queues a failed or cancelled job again; it goes on after its last finished phase.
    /// - Throws: `.notFound`, `.conflict` `job-not-finished`, `job-succeeded`.
    public func retry(_ job: String) async throws -> JobRecord { fatalError() }
    /// The job as soon as it is terminal, or as it is after `timeout`.
    public func waitForJob(_ id: String, timeout: Duration) async throws -> JobRecord { fatalError() }
    /// Every event of the job with an id above `after`, stored ones first, then live; ends after the event
    /// that makes the job terminal.
    public nonisolated func events(of job: String, after: Int64 = 0) -> JobEvents { fatalError() }
}
