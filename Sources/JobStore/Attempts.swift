import ArtifactStore
import Findings
import Foundation
import GRDB
import Support
import WorkerProtocol

/// The right to run one job: a worker's results are taken only while it is the current one.
public struct JobAttempt: Hashable, Sendable {
    /// The job's id.
    public var job: String
    public var request: JobRequest
    /// The uploaded model.
    public var model: Blob
    /// Where the graph of a model of weights alone comes from.
    public var skeleton: SkeletonSource?
    /// Whether a key submitted it, and the slots that the key's jobs may use; nil: the configuration's.
    public var isOwned: Bool
    public var slotQuota: Int?
    /// The fencing number: every attempt of a job has a higher one.
    public var number: Int
    public var lease: String
    var seq: Int64
}

extension JobStore {
    /// Takes the next queued job whose inputs are ready and that may start at `time`.
    ///
    /// Owners take turns: first the one with the fewest running jobs, then the one that was served longest
    /// ago. Among the jobs of one owner the priority decides, then the age. So no owner's priorities or number
    /// of jobs keep another waiting.
    /// - Parameter leaseTime: seconds after which the lease ends unless it is renewed.
    public func claimJob(lease: String, leaseTime: Double = 60, at time: Date = Date()) async throws
        -> JobAttempt?
    {
        let attempt: JobAttempt? = try await write { [self] database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT jobs.seq, jobs.id, jobs.attempt, jobs.request, jobs.owner, models.sha256,
                        models.size, models.import_options, keys.job_slots
                    FROM jobs
                    LEFT JOIN keys ON keys.id = jobs.owner
                    JOIN models ON models.id = model_ref AND models.state = 'ready'
                    JOIN datasets AS d ON d.id = dataset_ref AND d.state = 'ready'
                    LEFT JOIN datasets AS c ON c.id = clean_ref
                    LEFT JOIN datasets AS t ON t.id = triggered_ref
                    LEFT JOIN datasets AS u ON u.id = trusted_ref
                    WHERE jobs.state = 'queued' AND jobs.not_before <= ?
                        AND (c.id IS NULL OR c.state = 'ready') AND (t.id IS NULL OR t.state = 'ready')
                        AND (u.id IS NULL OR u.state = 'ready')
                    ORDER BY
                        (SELECT count(*) FROM jobs AS others WHERE others.owner IS jobs.owner
                            AND others.state IN ('running', 'cancelling')),
                        coalesce((SELECT served FROM owners WHERE owner = coalesce(jobs.owner, '')), 0),
                        (SELECT min(seq) FROM jobs AS others
                            WHERE others.owner IS jobs.owner AND others.state = 'queued'),
                        jobs.priority DESC, jobs.seq
                    LIMIT 1
                    """, arguments: [time.timeIntervalSince1970])
            guard let row else { return nil }
            let attempt = JobAttempt(
                job: row["id"], request: try row.requiredJSON("request"), model: row.blob,
                skeleton: try SkeletonSource(row, database),
                isOwned: row["owner"] as String? != nil, slotQuota: row["job_slots"],
                number: row["attempt"] + 1, lease: lease, seq: row["seq"])
            try database.execute(
                sql: """
                    UPDATE jobs SET state = 'running', attempt = ?, lease = ?, lease_until = ?,
                        paused = NULL, placement = NULL, started_at = coalesce(started_at, ?),
                        preliminary = CASE WHEN verdict IS NULL THEN NULL ELSE preliminary END WHERE seq = ?
                    """, arguments: [attempt.number, lease, now + leaseTime, now, attempt.seq])
            try database.execute(
                sql: """
                    INSERT INTO owners (owner, served)
                    SELECT :owner, coalesce(max(served), 0) + 1 FROM owners WHERE true
                    ON CONFLICT DO UPDATE SET served = excluded.served
                    """, arguments: ["owner": row["owner"] as String? ?? ""])
            try Self.appendState(.running, of: attempt.seq, attempt: attempt.number, now: now, database)
            return attempt
        }
        if let attempt { hub.signal(attempt.job) }
        return attempt
    }

    /// Whether the attempt still has its job, and somebody asked to cancel it.
    public func isCancelling(_ attempt: JobAttempt) throws -> Bool {
        try fenced(attempt) { database in
            try Bool.fetchOne(
                database, sql: "SELECT state = 'cancelling' FROM jobs WHERE seq = ?", arguments: [attempt.seq]
            )
                ?? false
        }
    }

    /// When the next queued job or import that may not start at `time` yet may start. With the same `time` as
    /// the claims before it, none falls between them and this.
    public func nextDue(after time: Date = Date()) async throws -> Date? {
        try await read { database in
            try Double.fetchOne(
                database,
                sql: """
                    SELECT min(not_before) FROM (
                        SELECT not_before FROM jobs WHERE state = 'queued'
                        UNION ALL SELECT not_before FROM models WHERE state = 'importing' AND lease IS NULL
                        UNION ALL SELECT not_before FROM datasets WHERE state = 'importing' AND lease IS NULL
                    ) WHERE not_before > ?
                    """, arguments: [time.timeIntervalSince1970]
            ).map(Date.init(timeIntervalSince1970:))
        }
    }

    // MARK: What a worker reports. A restarted worker reports again: every write can be repeated.

    public func record(_ progress: WorkerProgress, by attempt: JobAttempt) throws {
        struct ProgressData: Encodable {
            var phase: Phase?
            var round: Int
            var progress: Double
            var secondsLeft: Double?

            enum CodingKeys: String, CodingKey {
                case phase, round, progress
                case secondsLeft = "seconds_left"
            }
        }
        let data = ProgressData(
            phase: progress.phase, round: max(0, progress.round),
            progress: min(max(progress.fraction, 0), 1), secondsLeft: progress.secondsLeft.map { max(0, $0) }
        )
        try fenced(attempt) { database in
            try database.execute(
                sql: "UPDATE jobs SET phase = ?, round = ?, progress = ?, seconds_left = ? WHERE seq = ?",
                arguments: [
                    data.phase?.rawValue, data.round, data.progress, data.secondsLeft, attempt.seq,
                ])
            try Self.append(.progress, data, to: attempt.seq, now: now, database)
        }
    }

    /// Where the task is on a cluster. An event tells of it, but not of a mere change of its place in a line.
    public func record(_ placement: WorkerPlacement, by attempt: JobAttempt) throws {
        let text = try Columns.json(placement)
        try fenced(attempt) { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT state, placement FROM jobs WHERE seq = ?", arguments: [attempt.seq])
            guard let row else { return }
            var last: WorkerPlacement? = try row.json("placement")
            last?.position = placement.position
            try database.execute(
                sql: "UPDATE jobs SET placement = ? WHERE seq = ?", arguments: [text, attempt.seq])
            guard last != placement else { return }
            try Self.appendState(
                try row.enumCase("state"), of: attempt.seq, attempt: attempt.number, placement: placement,
                now: now, database)
        }
    }

    public func recordPhase(_ phase: Phase, round: Int, seconds: Double, by attempt: JobAttempt) throws {
        struct PhaseData: Encodable {
            var phase: Phase
            var round: Int
            var seconds: Double
        }
        let record = PhaseRecord(
            phase: phase, round: round, seconds: seconds, finishedAt: Date(timeIntervalSince1970: now))
        try fenced(attempt) { database in
            let row = RowOf(content: record, job: attempt.seq)
            // Not `INSERT OR IGNORE`, which would pass over values that no phase can have.
            guard try !row.exists(database) else { return }
            try row.insert(database)
            let data = PhaseData(phase: phase, round: round, seconds: seconds)
            try Self.append(.phase, data, to: attempt.seq, now: now, database)
        }
    }

    public func record(_ points: [MetricPoint], by attempt: JobAttempt) throws {
        try fenced(attempt) { database in
            for point in points {
                try RowOf(content: point, job: attempt.seq).insert(database, onConflict: .replace)
            }
        }
    }

    public func record(_ verdict: Verdict, by attempt: JobAttempt) throws {
        try record(verdict, column: "verdict", .verdict, by: attempt)
    }

    public func record(_ verdict: PreliminaryVerdict, by attempt: JobAttempt) throws {
        try record(verdict, column: "preliminary", .preliminary, by: attempt)
    }

    public func record(_ metrics: PurificationMetrics, by attempt: JobAttempt) throws {
        try record(metrics, column: "metrics", .metrics, by: attempt)
    }

    private func record(
        _ value: some Encodable, column: String, _ kind: JobEvent.Kind, by attempt: JobAttempt
    )
        throws
    {
        let text = try Columns.json(value)
        try fenced(attempt) { database in
            try database.execute(
                sql: "UPDATE jobs SET \(column) = ?1 WHERE seq = ?2 AND \(column) IS NOT ?1",
                arguments: [text, attempt.seq])
            if database.changesCount > 0 {
                try Self.append(kind, value, to: attempt.seq, now: now, database)
            }
        }
    }

    /// - Parameter check: runs in the transaction; throws when the blob is not there. Its content may also be
    ///   that of an input, whose deletion the same writer does.
    public func record(
        _ blob: Blob, as role: WorkerArtifact.Role, label: Int? = nil, by attempt: JobAttempt,
        check: (Blob) throws -> Void = { _ in }
    ) throws {
        let row = ArtifactRow(
            job: attempt.seq, role: role, label: label ?? -1, sha256: blob.sha256, size: blob.size)
        try fenced(attempt) { database in
            try check(blob)
            try row.insert(database, onConflict: .replace)
        }
    }

    /// One transaction of the attempt; wakes the job's waiters after it.
    /// - Throws: `StaleAttempt` when another attempt runs, or the job is finished: nothing is written.
    @discardableResult
    func fenced<Result>(_ attempt: JobAttempt, _ write: (Database) throws -> Result) throws -> Result {
        let result = try writeBlocking { database in
            let current = try Bool.fetchOne(
                database,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM jobs WHERE seq = ? AND attempt = ? AND lease = ?
                    AND state IN ('running', 'cancelling'))
                    """, arguments: [attempt.seq, attempt.number, attempt.lease])
            guard current == true else { throw StaleAttempt(id: attempt.job, number: attempt.number) }
            return try write(database)
        }
        hub.signal(attempt.job)
        return result
    }
}
