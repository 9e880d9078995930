import ArtifactStore
import Findings
import Foundation
import JobStore
import Logging
import Support

/// Keeps the stores in order beside the queue: at start-up what a crash left half-finished, then again and again
/// what has become too old, what nothing refers to, and the length of the write-ahead log.
public struct Housekeeping: Sendable {
    public struct Configuration: Sendable {
        public var retention = RetentionPolicy()
        /// A blob without a row may be an upload that is just being registered: it is left alone for so long.
        public var unreferencedAge: Duration = .seconds(3_600)
        /// The write-ahead log is cut back once it is larger than this.
        public var logBytes = 16 << 20
        /// Between two rounds of the frequent tasks.
        public var interval: Duration = .seconds(60)
        /// Between two searches for files that nothing refers to.
        public var sweepInterval: Duration = .seconds(3_600)

        public init() {}
    }

    /// What a sweep removed.
    public struct Removed: Hashable, Sendable {
        public var blobs = 0
        public var bytes = 0
        /// Packed data sets, work directories and uploads' files.
        public var others = 0

        public var isNothing: Bool { self == Removed() }
    }

    let store: JobStore
    let artifacts: ArtifactStore
    let uploads: ResumableUploads
    let configuration: Configuration
    let logger: Logger

    public init(
        store: JobStore, artifacts: ArtifactStore, uploads: ResumableUploads,
        configuration: Configuration = Configuration(), logger: Logger = Logger(label: "burn.housekeeping")
    ) {
        self.store = store
        self.artifacts = artifacts
        self.uploads = uploads
        self.configuration = configuration
        self.logger = logger
    }

    /// To be called before the queue starts and before a request is taken: nothing is in use yet.
    public func repairAtStart() async throws {
        try await forgetLostUploads()
        let removed = try await sweep(olderThan: .zero)
        if !removed.isNothing {
            logger.notice(
                "removed what a crash left behind",
                metadata: [
                    "blobs": "\(removed.blobs)", "bytes": "\(removed.bytes)", "others": "\(removed.others)",
                ])
        }
    }

    /// Rows of uploads whose file is gone: the client has to begin again.
    private func forgetLostUploads() async throws {
        for upload in try await store.uploads(in: [.receiving, .checking])
        where try artifacts.partOffset(upload.id) == nil {
            try await store.deleteUpload(upload.id)
            logger.warning("an unfinished upload has lost its file", metadata: ["upload": "\(upload.id)"])
        }
    }

    /// Until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            // Reading and checking a large file again takes its time: nothing else waits for it.
            group.addTask { await finishUploads() }
            group.addTask { await keep() }
        }
    }

    private func finishUploads() async {
        while !Task.isCancelled {
            await uploads.finishInterrupted()
            try? await Task.sleep(for: configuration.interval)
        }
    }

    private func keep() async {
        var lastSweep = ContinuousClock.now
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.interval)
            if Task.isCancelled { return }
            await attempt("end of uploads") { try await uploads.expire() }
            await attempt("retention") { try await retire() }
            await attempt("log") { try await store.boundLog(limit: configuration.logBytes) }
            if .now - lastSweep >= configuration.sweepInterval {
                lastSweep = .now
                await attempt("sweep") { _ = try await sweep(olderThan: configuration.unreferencedAge) }
            }
        }
    }

    private func attempt(_ task: String, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            logger.error("housekeeping failed", metadata: ["task": "\(task)", "error": "\(error)"])
        }
    }

    /// Removes the jobs that the retention policy lets go.
    public func retire() async throws {
        for job in try await store.expiredJobs(configuration.retention) {
            try await store.remove(job, reason: .retention, artifacts)
            logger.info("removed by the retention policy", metadata: ["job": "\(job)"])
        }
        try await store.removeTombstones(configuration.retention)
    }

    /// Removes files that no row refers to.
    /// - Parameter age: blobs that came later stay.
    public func sweep(olderThan age: Duration) async throws -> Removed {
        let oldest = Date(timeIntervalSinceNow: -(age / .seconds(1)))
        let removed = Tally()
        try await store.withReferences { [artifacts] references in
            for blob in try artifacts.storedBlobs()
            where references.blobs[blob.sha256] == nil && blob.since <= oldest {
                try artifacts.delete(sha256: blob.sha256)
                removed.count.blobs += 1
                removed.count.bytes += blob.size
            }
            for id in try artifacts.partIDs() where references.uploads[id] == nil {
                try artifacts.deletePart(id)
                removed.count.others += 1
            }
            for id in try artifacts.datasetIDs() where !references.datasets.contains(id) {
                try artifacts.deleteDatasetDirectory(id)
                removed.count.others += 1
            }
            for id in try artifacts.workIDs() where !references.workers.contains(id) {
                try artifacts.deleteWorkDirectory(id)
                removed.count.others += 1
            }
        }
        return removed.count
    }

    /// Unchecked: written by the store's one writer, read when that is done.
    private final class Tally: @unchecked Sendable {
        var count = Removed()
    }
}

extension JobStore {
    /// Removes a finished job, its results and its files.
    /// - Throws: as `removeJob`.
    package func remove(_ job: String, reason: Tombstone.Reason, _ artifacts: ArtifactStore) async throws {
        try await removeJob(job, reason: reason) { try artifacts.delete(sha256: $0) }
        try await onDisk {
            try artifacts.deleteWorkDirectory(job)
            try artifacts.deletePictures(job)
        }
    }
}
