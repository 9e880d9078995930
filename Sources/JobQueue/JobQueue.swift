import ArtifactStore
import Findings
import Foundation
import JobStore
import Logging
import Metrics
import Rendering
import Storage
import Support
import WorkerProtocol
import Workers

/// Runs imports and jobs on worker processes, and owns every change of their state.
///
/// The database is the queue: what is claimed, run and finished stands there first, and this actor only
/// remembers how to stop what runs now. Attempts run on threads of their own, one per slot.
public actor JobQueue {
    public struct Configuration: Sendable {
        /// Jobs that run at the same time.
        public var slots = 1
        /// Imports and probes that run at the same time, beside the jobs.
        public var importSlots = 1
        /// Slots of one job whose options don't say: its own, and others while no job waits for them.
        public var jobSlots = 1
        /// The same, at most, of a job that a key submitted, unless the key says otherwise.
        public var jobSlotsOfKey = Int.max
        /// How much longer a stage must take for helpers to be asked for.
        public var sharePatience: Duration = .seconds(20)
        public var importLimits = ImportLimits()
        /// Queued jobs beyond this are refused (429).
        public var maximumQueuedJobs = 1_000
        /// Retries of an infrastructure failure.
        public var retries = 3
        /// Delay before the first retry; doubles each time.
        public var backoff: Duration = .seconds(2)
        /// The least time between two stored progress reports of a phase.
        public var progressInterval: Duration = .milliseconds(250)
        /// A lease that was not renewed for so long ends; renewed three times as often.
        public var leaseTime: Duration = .seconds(60)
        /// Between two looks at the free space.
        public var diskInterval: Duration = .seconds(5)
        /// How long a job waits that found no room although the floor is kept.
        public var pauseDelay: Duration = .seconds(15)
        /// How long a result is offered to a database that refuses it for a reason that may pass.
        public var storePatience: Duration = .seconds(60)
        /// What the queue's workers do is counted with it.
        public var metrics: any MetricsFactory = NOOPMetricsHandler.instance
        public var pictures = PictureRenderer.Configuration()
        public var checks = UploadChecker.Configuration()

        public init() {}
    }

    nonisolated let store: JobStore
    nonisolated let artifacts: ArtifactStore
    private nonisolated let configuration: Configuration
    private let logger: Logger
    private let runner: AttemptRunner
    private let helperSlots: HelperSlots
    nonisolated let conditions = QueueConditions()
    /// Has workers make what people look at.
    public nonisolated let pictures: PictureRenderer
    /// Has workers look at uploads before they are kept.
    public nonisolated let checker: UploadChecker
    /// Jobs that run at the same time.
    public nonisolated var slots: Int { configuration.slots }
    /// Names this run of the queue in the database. Another one there is stale: the data directory's lock
    /// lets only one process run, and `shutdown` waits for everything that ran.
    private var lease = Identifier.make(.server)

    /// Between two looks at whether the executor takes tasks again.
    private static let obstaclePause = 0.5

    /// What runs now, by id.
    private var jobControls: [String: WorkerControl] = [:]
    private var importControls: [String: WorkerControl] = [:]
    private var isRunning = false
    private var isPumping = false
    private var pumpAgain = false
    private var timer: Task<Void, Never>?
    private var watch: Task<Void, Never>?
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []

    public init(
        store: JobStore, artifacts: ArtifactStore, supervisor: WorkerSupervisor,
        configuration: Configuration = Configuration(), logger: Logger = Logger(label: "burn.queue")
    ) {
        self.store = store
        self.artifacts = artifacts
        self.configuration = configuration
        self.logger = logger
        helperSlots = HelperSlots(slots: configuration.slots)
        runner = AttemptRunner(
            store: store, artifacts: artifacts, supervisor: supervisor, configuration: configuration,
            conditions: conditions, helperSlots: helperSlots, logger: logger)
        pictures = PictureRenderer(
            store: store, artifacts: artifacts, supervisor: supervisor,
            configuration: configuration.pictures, logger: logger)
        checker = UploadChecker(
            artifacts: artifacts, supervisor: supervisor, configuration: configuration.checks,
            logger: logger)
    }

    /// Takes back what an earlier process left, and starts the pool.
    public func start() async throws {
        guard !isRunning else { return }
        lease = Identifier.make(.server)
        try await renewLeases()
        try await pictures.start()
        await checker.start()
        isRunning = true
        conditions.isStopping = false
        lookAtDisk()
        watch = Task { [weak self] in await self?.watchDiskAndLeases() }
        await pump()
    }

    /// Stops workers softly, within the supervisor's grace period; their jobs and imports go back to the
    /// queue and go on after the next `start`.
    public func shutdown() async {
        isRunning = false
        timer?.cancel()
        timer = nil
        watch?.cancel()
        watch = nil
        conditions.isStopping = true
        await pictures.shutdown()
        await checker.shutdown()
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
    package func wake() {
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
        var isOpen = false
        defer { helperSlots.update(jobs: jobControls.count, isOpen: isOpen) }
        // What writes much would only fail. The watch pumps again when there is room.
        if conditions.isDiskFull { return }
        // What is not claimed waits in the database, and no attempt is spent on it.
        if runner.supervisor.configuration.executor.obstacle != nil {
            schedule(at: time.addingTimeInterval(Self.obstaclePause))
            return
        }
        while isRunning, importControls.count < configuration.importSlots,
            let attempt = try await store.claimImport(lease: lease, leaseTime: leaseSeconds, at: time)
        {
            let control = control()
            importControls[attempt.id] = control
            OwnThread.run("burn.attempt") { [runner] in
                runner.run(attempt, control: control)
                Task { await self.importEnded(attempt.id) }
            }
        }
        while isRunning, jobControls.count < configuration.slots,
            let attempt = try await store.claimJob(lease: lease, leaseTime: leaseSeconds, at: time)
        {
            let control = control()
            jobControls[attempt.job] = control
            OwnThread.run("burn.attempt") { [runner] in
                runner.run(attempt, control: control)
                Task { await self.jobEnded(attempt.job) }
            }
        }
        // What is free now, no job waits for.
        isOpen = isRunning
        if isRunning, let due = try await store.nextDue(after: time) { schedule(at: due) }
    }

    // MARK: The watch

    /// Pauses everything when the disk gets full and lets it go on when there is room again; renews leases.
    private func watchDiskAndLeases() async {
        var renewed = ContinuousClock.now
        let pause = min(configuration.diskInterval, configuration.leaseTime / 3)
        while !Task.isCancelled {
            do { try await Task.sleep(for: pause) } catch { return }
            guard isRunning else { return }
            if lookAtDisk(), !conditions.isDiskFull { wake() }
            guard .now - renewed >= configuration.leaseTime / 3 else { continue }
            do {
                try await renewLeases()
                renewed = .now
            } catch { logger.error("leases cannot be renewed", metadata: ["error": "\(error)"]) }
        }
    }

    /// - Returns: whether the disk has become full, or has room again.
    @discardableResult
    private func lookAtDisk() -> Bool {
        guard conditions.look(at: artifacts) else { return false }
        if conditions.isDiskFull {
            logger.error(
                "the disk is full: jobs and imports are paused",
                metadata: ["floor_bytes": "\(artifacts.freeSpaceFloor)"])
            for control in jobControls.values { control.cancel() }
            for control in importControls.values { control.cancel() }
        } else {
            logger.notice("there is room on the disk again: jobs and imports go on")
        }
        return true
    }

    private func renewLeases() async throws {
        let recovered = try await store.recover(
            lease: lease, supervised: Array(jobControls.keys) + importControls.keys, leaseTime: leaseSeconds)
        guard recovered > 0 else { return }
        logger.notice("took back unfinished work", metadata: ["count": "\(recovered)"])
        wake()
    }

    private var leaseSeconds: Double { configuration.leaseTime / .seconds(1) }

    /// Whether jobs and imports wait for room on the disk.
    public nonisolated var isPausedByDisk: Bool { conditions.isDiskFull }

    /// A new control; cancelled from the start where the shutdown came during the claim.
    private func control() -> WorkerControl {
        let control = WorkerControl()
        if !isRunning || conditions.isDiskFull { control.cancel() }
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
