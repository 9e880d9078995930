import Findings
import Foundation
import GRDB
import Support

/// How an attempt ended.
public enum AttemptResult: Hashable, Sendable {
    case succeeded
    case failed(Problem)
    /// Stopped by a cancel, or by the shutdown of the server.
    case stopped
    /// A fault of the service: try again, unless it was tried again `limit` times already. The next attempt is given all that a
    /// task may have, since it may have been for want of it.
    /// - Parameter backoff: seconds before the first retry; doubles with each.
    case infrastructure(Problem, backoff: Double, limit: Int)
    /// Something that is no fault of the job is missing: it goes on by itself, `delay` seconds from now at the
    /// earliest, however often that happens.
    case paused(PauseReason, delay: Double)
    /// The same for what the cluster does: `problem` says what happened.
    case waiting(Problem, delay: Double)
    /// Its task needed more than it was expected to: it goes on with all that a task may have.
    case tooSmall(Problem)
}

extension JobStore {
    /// Ends an attempt; the one place where a job gets its result.
    ///
    /// A cancelling job becomes cancelled whatever the worker says. A stopped one that nobody cancelled
    /// goes back to queued, and so does one with an infrastructure failure that has retries left.
    /// - Throws: `StaleAttempt`: another attempt has the job, and this result is dropped.
    @discardableResult
    public func finish(_ attempt: JobAttempt, _ result: AttemptResult) throws -> JobState {
        try fenced(attempt) { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT state, failures, verdict IS NULL AS undecided FROM jobs WHERE seq = ?",
                arguments: [attempt.seq])
            guard let row else { throw StaleAttempt(id: attempt.job, number: attempt.number) }
            func end(_ state: JobState, _ problem: Problem? = nil) throws -> JobState {
                try Self.end(
                    attempt.seq, attempt: attempt.number, state, problem: problem, now: now, database)
                return state
            }
            func requeue(
                failures: Int, delay: Double, paused: PauseReason? = nil, because problem: Problem? = nil
            ) throws -> JobState {
                try Self.queue(
                    attempt.seq, attempt: attempt.number, failures: failures, notBefore: now + delay,
                    paused: paused, because: problem, now: now, database)
                return .queued
            }
            let failures: Int = row["failures"]
            if try row.enumCase("state", as: JobState.self) == .cancelling { return try end(.cancelled) }
            switch result {
            case .succeeded where row["undecided"]:
                return try end(
                    .failed,
                    Problem(
                        .internal, code: "worker-incomplete", title: "The worker gave no verdict",
                        detail: "It ended without an error and without a verdict."))
            case .succeeded: return try end(.succeeded)
            case .failed(let problem): return try end(.failed, problem)
            case .stopped: return try requeue(failures: failures, delay: 0)
            case .paused(let reason, let delay):
                return try requeue(failures: failures, delay: delay, paused: reason)
            case .waiting(let problem, let delay):
                return try requeue(failures: failures, delay: delay, because: problem)
            case .tooSmall(let problem):
                try Self.enlarge(attempt.seq, database)
                return try requeue(failures: failures, delay: 0, because: problem)
            case .infrastructure(let problem, _, let limit) where failures >= limit:
                return try end(.failed, problem)
            case .infrastructure(let problem, let backoff, _):
                try Self.enlarge(attempt.seq, database)
                return try requeue(
                    failures: failures + 1, delay: Self.delay(backoff, failures), because: problem)
            }
        }
    }

    static func delay(_ backoff: Double, _ failures: Int) -> Double {
        backoff * Double(1 << min(max(failures, 0), 10))
    }

    /// A queued job is cancelled at once; a running one becomes cancelling, until its worker has stopped.
    /// - Throws: `.notFound`; `.conflict` `job-finished` for a succeeded or failed job.
    public func cancel(_ id: String) async throws -> JobRecord {
        let job = try await write { [self] database in
            let job = try Self.job(id, database)
            let seq = try Self.sequence(of: id, database)
            switch job.state {
            case .queued:
                try Self.end(seq, attempt: job.attempt, .cancelled, problem: nil, now: now, database)
            case .running:
                try database.execute(
                    sql: "UPDATE jobs SET state = 'cancelling' WHERE seq = ?", arguments: [seq])
                try Self.appendState(.cancelling, of: seq, attempt: job.attempt, now: now, database)
            case .cancelling, .cancelled: return job
            case .succeeded, .failed:
                throw Problem(
                    .conflict, code: "job-finished", title: "The job is finished",
                    detail: "Job \(id) has \(job.state.rawValue); there is nothing to cancel.",
                    fix: "Submit a new job to run it again.")
            }
            return try Self.job(id, database)
        }
        hub.signal(id)
        return job
    }

    /// Queues a failed or cancelled job again; it goes on after its last finished phase.
    /// - Throws: `.notFound`; `.conflict` `job-not-finished`, `job-succeeded`, `model-rejected` and such;
    ///   an input that was deleted is `.notFound`.
    public func retry(_ id: String) async throws -> JobRecord {
        let job = try await write { [self] database in
            let job = try Self.job(id, database)
            switch job.state {
            case .queued, .running, .cancelling:
                throw Problem(
                    .conflict, code: "job-not-finished", title: "The job is not finished",
                    detail: "Job \(id) is \(job.state.rawValue).",
                    fix: "Wait until it has ended, or cancel it first.")
            case .succeeded:
                throw Problem(
                    .conflict, code: "job-succeeded", title: "The job has succeeded",
                    detail: "Job \(id) has its result; there is nothing to repeat.",
                    fix: "Submit a new job to run it again.")
            case .failed, .cancelled: break
            }
            try Self.requireInputs(job.request, database)
            try Self.queue(
                try Self.sequence(of: id, database), attempt: job.attempt, failures: 0, notBefore: 0,
                now: now,
                database)
            return try Self.job(id, database)
        }
        hub.signal(id)
        return job
    }

    /// Takes back what nobody works on any more, because its server process is gone or its lease has ended:
    /// running jobs are queued again, cancelling ones cancelled, imports start over.
    /// - Parameters:
    ///   - lease: the lease of the process that calls.
    ///   - supervised: ids that it works on: their leases are renewed, even late.
    ///   - leaseTime: seconds after which a renewed lease ends.
    /// - Returns: the number of jobs and imports taken back.
    @discardableResult
    public func recover(lease: String, supervised: [String] = [], leaseTime: Double = 60) async throws -> Int
    {
        let (jobs, imports) = try await write { [self] database in
            for table in ["jobs"] + InputKind.allCases.map(\.table) {
                let statement = try database.cachedStatement(
                    sql: "UPDATE \(table) SET lease_until = ? WHERE id = ? AND lease = ?")
                for id in supervised { try statement.execute(arguments: [now + leaseTime, id, lease]) }
            }
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT seq, id, state, attempt, failures FROM jobs
                    WHERE lease IS NOT NULL AND (lease <> ? OR lease_until < ?)
                    """, arguments: [lease, now])
            for row in rows {
                let seq: Int64 = row["seq"]
                let attempt: Int = row["attempt"]
                if try row.enumCase("state", as: JobState.self) == .cancelling {
                    try Self.end(seq, attempt: attempt, .cancelled, problem: nil, now: now, database)
                } else {
                    try Self.queue(
                        seq, attempt: attempt, failures: row["failures"], notBefore: 0, now: now, database)
                }
            }
            var imports = 0
            for kind in InputKind.allCases {
                try database.execute(
                    sql: """
                        UPDATE \(kind.table) SET lease = NULL
                        WHERE lease IS NOT NULL AND (lease <> ? OR lease_until < ?)
                        """, arguments: [lease, now])
                imports += database.changesCount
            }
            return (rows.map { $0["id"] as String }, imports)
        }
        for job in jobs { hub.signal(job) }
        return jobs.count + imports
    }

    // MARK: In a transaction of the writer

    /// Gives a job its terminal state.
    static func end(
        _ seq: Int64, attempt: Int, _ state: JobState, problem: Problem?, now: Double, _ database: Database
    ) throws {
        try database.execute(
            sql: """
                UPDATE jobs SET state = ?, problem = ?, lease = NULL, seconds_left = NULL, paused = NULL,
                    finished_at = ? WHERE seq = ?
                """,
            arguments: [state.rawValue, try problem.map { try Columns.json($0) }, now, seq])
        try appendState(state, of: seq, attempt: attempt, problem: problem, now: now, database)
        try announceEnd(of: seq, state, now: now, database)
    }

    private static func queue(
        _ seq: Int64, attempt: Int, failures: Int, notBefore: Double, paused: PauseReason? = nil,
        because problem: Problem? = nil, now: Double, _ database: Database
    ) throws {
        try database.execute(
            sql: """
                UPDATE jobs SET state = 'queued', lease = NULL, problem = NULL, finished_at = NULL,
                    seconds_left = NULL, failures = ?, not_before = ?, paused = ?, placement = NULL
                    WHERE seq = ?
                """, arguments: [failures, notBefore, paused?.rawValue, seq])
        try appendState(
            .queued, of: seq, attempt: attempt, problem: problem, paused: paused, now: now, database)
    }
}
