import ArtifactStore
import Foundation
import JobStore
import Logging
import PackedDataset
import Support
import WorkerProtocol
import Workers

/// Has workers make pictures that somebody waits for. Whoever asks for one that is being made waits for the same
/// worker; only so many workers run, and only so many pictures wait.
public actor PictureRenderer {
    public struct Configuration: Sendable {
        /// Workers that make pictures at the same time, beside those of jobs and imports.
        public var workers = 1
        /// Pictures that wait for a worker; more are refused (429).
        public var mostWaiting = 64
        /// Samples of one job that a worker pictures together.
        public var batch = 16
        /// Of all cached pictures.
        public var cacheBytes = 1 << 30

        public init() {}
    }

    public struct Status: Sendable {
        public var running: Int
        public var waiting: Int
    }

    enum Key: Hashable, Sendable {
        case sample(job: String, index: Int)
        /// Of a data set that was imported without.
        case thumbnails(dataset: String)
    }

    nonisolated let store: JobStore
    nonisolated let artifacts: ArtifactStore
    nonisolated let supervisor: WorkerSupervisor
    private let configuration: Configuration
    private let logger: Logger

    /// In order of arrival; not those that are being made.
    private var waiting: [Key] = []
    private var waiters: [Key: [CheckedContinuation<Void, any Error>]] = [:]
    private var controls: [Int: WorkerControl] = [:]
    private var started = 0
    private var cachedBytes = 0
    private var isRunning = false

    package init(
        store: JobStore, artifacts: ArtifactStore, supervisor: WorkerSupervisor,
        configuration: Configuration, logger: Logger
    ) {
        self.store = store
        self.artifacts = artifacts
        self.supervisor = supervisor
        self.configuration = configuration
        self.logger = logger
    }

    package func start() async throws {
        guard !isRunning else { return }
        cachedBytes = try await onDisk { [artifacts] in try artifacts.cacheBytes() }
        isRunning = true
        await prune()
    }

    /// Stops the workers; whoever waits is told.
    package func shutdown() {
        isRunning = false
        for control in controls.values { control.cancel() }
        for key in waiting { answer(key, .failure(Self.stopping)) }
        waiting = []
    }

    public var status: Status { Status(running: controls.count, waiting: waiting.count) }
    public func cacheBytes() -> Int { cachedBytes }

    private static let stopping = Problem(
        .unavailable, code: "service-stopping", title: "The service is stopping",
        detail: "No picture is made any more.", fix: "Try again when it is back.")

    /// Until it is made.
    /// - Throws: `Problem` `pictures-busy` (rateLimited), `service-stopping`; what kept the worker from it.
    func make(_ key: Key) async throws {
        guard isRunning else { throw Self.stopping }
        if waiters[key] == nil {
            guard waiting.count < configuration.mostWaiting else {
                throw Problem(
                    .rateLimited, code: "pictures-busy", title: "Too many pictures are asked for",
                    detail: "\(waiting.count) wait to be made.", fix: "Ask again in some seconds.")
            }
            waiting.append(key)
        }
        try await withCheckedThrowingContinuation { continuation in
            waiters[key, default: []].append(continuation)
            pump()
        }
    }

    private func pump() {
        while isRunning, controls.count < configuration.workers, let first = waiting.first {
            var keys = [first]
            if case .sample(let job, _) = first {
                let same = waiting.filter { if case .sample(job, _) = $0 { true } else { false } }
                keys = Array(same.prefix(configuration.batch))
            }
            let taken = Set(keys)
            waiting.removeAll { taken.contains($0) }
            started += 1
            let number = started
            let control = WorkerControl()
            controls[number] = control
            Task { [keys] in
                let result: Result<Int, any Error>
                do { result = .success(try await run(keys, control)) } catch { result = .failure(error) }
                finished(number, keys, result)
            }
        }
    }

    private func finished(_ number: Int, _ keys: [Key], _ result: Result<Int, any Error>) {
        controls[number] = nil
        switch result {
        case .success(let bytes): cachedBytes += bytes
        case .failure(let error):
            logger.warning("no picture was made", metadata: ["error": "\(error)"])
        }
        for key in keys { answer(key, result.map { _ in }) }
        pump()
        if cachedBytes > configuration.cacheBytes { Task { await prune() } }
    }

    private func answer(_ key: Key, _ result: Result<Void, any Error>) {
        for waiter in waiters.removeValue(forKey: key) ?? [] { waiter.resume(with: result) }
    }

    /// Keeps the cache within its bound, with room for some more.
    func prune() async {
        guard cachedBytes > configuration.cacheBytes else { return }
        do {
            let limit = configuration.cacheBytes / 10 * 9
            cachedBytes = try await onDisk { [artifacts] in try artifacts.pruneCache(to: limit) }
        } catch { logger.error("the cache cannot be pruned", metadata: ["error": "\(error)"]) }
    }

    /// - Returns: bytes that came into the cache.
    private nonisolated func run(_ keys: [Key], _ control: WorkerControl) async throws -> Int {
        guard let first = keys.first else { return 0 }
        switch first {
        case .thumbnails(let dataset):
            try await makeThumbnails(of: dataset, control)
            return 0
        case .sample(let job, _):
            let samples = keys.compactMap { if case .sample(_, let index) = $0 { index } else { nil } }
            return try await picture(samples.sorted(), of: job, control)
        }
    }
}
