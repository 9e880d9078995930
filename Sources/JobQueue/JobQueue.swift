import ArtifactStore
import Dispatch
import Findings
import Foundation
import JobStore
import Logging
import Problems
import WorkerProtocol
import WorkerSupervisor

/// Runs imports and jobs on worker processes, and owns every change of their state.
///
/// The database is the queue: what is claimed, run and finished stands there first, and this actor only
/// remembers how to stop what runs now. Attempts run on Dispatch threads, one per slot.
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
        /// The least time between two stored progress reports of a phase.
        public var progressInterval: Duration = .milliseconds(250)
        public var observer: (any JobQueueObserver)?

        public init() {}
    }

    nonisolated let store: JobStore
    nonisolated let artifacts: ArtifactStore
    private let configuration: Configuration
    private let logger: Logger
    private let runner: AttemptRunner
    private let workers = DispatchQueue(label: "burn.workers", attributes: .concurrent)
    /// Names this run of the queue in the database. Another one there is stale: the data directory's lock
    /// lets only one process run, and `shutdown` waits for everything that ran.
    private var lease = Identifier.make(.server)

    /// What runs now, by id.
    private var jobControls: [String: WorkerControl] = [:]
    private var importControls: [String: WorkerControl] = [:]
    private var isRunning = false
    private var isPumping = false
    private var pumpAgain = false
    private var timer: Task<Void, Never>?
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []

    public init(
        store: JobStore, artifacts: ArtifactStore, supervisor: WorkerSupervisor,
        configuration: Configuration = Configuration(), logger: Logger = Logger(label: "burn.queue")
    ) {
        self.store = store
        self.artifacts = artifacts
        self.configuration = configuration
        self.logger = logger
        runner = AttemptRunner(
            store: store, artifacts: artifacts, supervisor: supervisor, configuration: configuration,
            logger: logger)
    }

    /// Takes back what an earlier process left, and starts the pool.
    public func start() async throws {
        guard !isRunning else { return }
        lease = Identifier.make(.server)
        let recovered = try await store.recover(lease: lease)
        if recovered > 0 { logger.notice("took back unfinished work", metadata: ["count": "\(recovered)"]) }
        isRunning = true
        await pump()
    }

    /// Stops workers softly, within the supervisor's grace period; their jobs and imports go back to the
    /// queue and go on after the next `start`.
    public func shutdown() async {
        isRunning = false
        timer?.cancel()
        timer = nil
        for control in jobControls.values { control.cancel() }
        for control in importControls.values { control.cancel() }
        if !isIdle { await withCheckedContinuation { idleWaiters.append($0) } }
    }

    /// Ids of the jobs whose workers run now.
    public var runningJobs: [String] { Array(jobControls.keys) }

    // MARK: Jobs

    /// - Parameters:
    ///   - idempotencyKey: the Idempotency-Key header.
    ///   - requestHash: digest of the request's body; the same key with another digest is refused.
    /// - Throws: as `JobStore.submit`.
    public func submit(
        _ request: JobRequest, idempotencyKey: String? = nil, requestHash: String = "", owner: String? = nil,
        maximumQueuedOfOwner: Int = .max
    ) async throws -> Submission {
        let submission = try await store.submit(
            request, idempotencyKey: idempotencyKey, requestHash: requestHash,
            maximumQueued: configuration.maximumQueuedJobs, owner: owner,
            maximumQueuedOfOwner: maximumQueuedOfOwner)
        wake()
        return submission
    }

    /// - Throws: as `JobStore.cancel`.
    public func cancel(_ job: String) async throws -> JobRecord {
        let record = try await store.cancel(job)
        // One that was claimed just now has no control yet: its runner reads the state again before it starts.
        if record.state == .cancelling { jobControls[job]?.cancel() }
        return record
    }

    /// Queues a failed or cancelled job again; it goes on after its last finished phase.
    /// - Throws: as `JobStore.retry`.
    public func retry(_ job: String) async throws -> JobRecord {
        let record = try await store.retry(job)
        wake()
        return record
    }

    /// The job as soon as it is terminal, or as it is after `timeout`.
    public nonisolated func waitForJob(_ id: String, timeout: Duration) async throws -> JobRecord {
        try await store.wait(for: id, timeout: timeout, until: \.state.isTerminal) { [store] in
            try await store.job(id)
        }
    }

    /// Every event of the job with an id above `after`, stored ones first, then live; ends when the job is
    /// finished.
    public nonisolated func events(of job: String, after: Int64 = 0) -> JobEvents {
        store.eventStream(of: job, after: after)
    }

    // MARK: The pool

    /// Looks for work without keeping the caller waiting.
    func wake() {
        Task { await pump() }
    }

    /// Fills the free slots from the database. One at a time; a call meanwhile makes it look once more.
    private func pump() async {
        guard !isPumping else {
            pumpAgain = true
            return
        }
        isPumping = true
        repeat {
            pumpAgain = false
            do { try await fillSlots() } catch {
                logger.error("the queue cannot be read", metadata: ["error": "\(error)"])
                schedule(at: Date(timeIntervalSinceNow: 1))
            }
        } while pumpAgain
        isPumping = false
        resumeIdleWaiters()
    }

    private func fillSlots() async throws {
        let time = Date()
        while isRunning, importControls.count < configuration.importSlots,
            let attempt = try await store.claimImport(lease: lease, at: time)
        {
            let control = control()
            importControls[attempt.id] = control
            workers.async { [runner] in
                runner.run(attempt, control: control)
                Task { await self.importEnded(attempt.id) }
            }
        }
        while isRunning, jobControls.count < configuration.slots,
            let attempt = try await store.claimJob(lease: lease, at: time)
        {
            let control = control()
            jobControls[attempt.job] = control
            workers.async { [runner] in
                runner.run(attempt, control: control)
                Task { await self.jobEnded(attempt.job) }
            }
        }
        if isRunning, let due = try await store.nextDue(after: time) { schedule(at: due) }
    }

    /// A new control; cancelled from the start where the shutdown came during the claim.
    private func control() -> WorkerControl {
        let control = WorkerControl()
        if !isRunning { control.cancel() }
        return control
    }

    private func schedule(at date: Date) {
        guard isRunning else { return }
        timer?.cancel()
        let delay = max(0.01, date.timeIntervalSinceNow)
        timer = Task { [weak self] in
            do { try await Task.sleep(for: .seconds(delay)) } catch { return }
            await self?.wake()
        }
    }

    private func importEnded(_ id: String) {
        importControls[id] = nil
        ended()
    }

    private func jobEnded(_ id: String) {
        jobControls[id] = nil
        ended()
    }

    private func ended() {
        if isRunning { wake() }
        resumeIdleWaiters()
    }

    private var isIdle: Bool { !isPumping && jobControls.isEmpty && importControls.isEmpty }

    private func resumeIdleWaiters() {
        guard isIdle else { return }
        for waiter in idleWaiters { waiter.resume() }
        idleWaiters = []
    }
}
