import Findings
import Foundation
import WorkerProtocol

/// One page of a listing.
public struct Page<Item: Sendable>: Sendable {
    public var items: [Item]
    /// Opaque; pass it back with the same filters and order for the next page. Nil on the last page.
    public var nextCursor: String?

    public func map<Other: Sendable>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), nextCursor: nextCursor)
    }
}

/// One entry of a job's append-only log, as `GET /v1/jobs/{id}/events` gives it.
public struct JobEvent: Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// `{"state", "attempt", "problem"?, "paused"?, "slurm"?}`
        case state
        /// `{"phase", "round", "progress", "seconds_left"?}`
        case progress
        /// A finished phase: `{"phase", "round", "seconds"}`
        case phase
        /// What the verdict will be, as in the job: `{"result", "target_classes", "names"}`
        case preliminary
        /// The verdict, as in the job.
        case verdict
        /// The job's `metrics`.
        case metrics
        /// `{"phase", "round", "name", "step", "value"}`
        case curve
    }

    /// Increases over all jobs, without reuse: the `id` of a server-sent event.
    public var id: Int64
    public var job: String
    public var at: Date
    public var kind: Kind
    /// A JSON object in one line.
    public var data: String
}

/// What waits.
public struct QueueStatus: Sendable {
    /// Queued jobs that wait for room on the disk.
    public var paused: Int
    /// Models and data sets that are being imported or wait for it.
    public var imports: Int
    /// Age of the job that was queued first; 0 without one.
    public var oldestSeconds: Double
    public var uploads: [UploadState: Int]
}

/// A job that has a worker.
public struct RunningJob: Hashable, Sendable {
    public var job: String
    public var phase: Phase?
    /// When it was first started.
    public var since: Date
    /// Where its task is on a cluster.
    public var placement: WorkerPlacement?
}

/// The answer to a submission.
public struct Submission: Sendable {
    public var job: JobRecord
    /// True when an earlier submission with the same idempotency key made the job.
    public var replayed: Bool
}
