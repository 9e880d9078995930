import ArtifactStore
import Findings
import Foundation
import GRDB
import Support
import WorkerProtocol

extension JobStore {
    /// - Throws: `Problem` `job-not-found`.
    public func job(_ id: String) async throws -> JobRecord {
        try await read { try Self.job(id, $0) }
    }

    /// Newest first. `cursor` is a `nextCursor` of this listing; another throws `Problem` `invalid-cursor`.
    public func jobs(state: JobState? = nil, type: JobType? = nil, limit: Int, cursor: String? = nil)
        async throws -> Page<JobRecord>
    {
        let query = "jobs|\(state?.rawValue ?? "")|\(type?.rawValue ?? "")"
        let before = try cursor.map { try Cursor($0, of: query).row } ?? .max
        let limit = Self.clamp(limit)
        return try await read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM jobs WHERE seq < :before
                    \(state == nil ? "" : "AND state = :state") \(type == nil ? "" : "AND type = :type")
                    ORDER BY seq DESC LIMIT :limit
                    """,
                arguments: Self.arguments([
                    ("before", before), ("limit", limit + 1), ("state", state?.rawValue),
                    ("type", type?.rawValue),
                ]))
            let next = rows.count > limit ? Cursor(query: query, row: rows[limit - 1]["seq"]).text : nil
            return Page(
                items: try rows.prefix(limit).map { try JobRecord($0, database) }, nextCursor: next)
        }
    }

    /// Named arguments, less the absent ones: a statement refuses arguments that it has no use for.
    static func arguments(_ named: [(String, (any DatabaseValueConvertible)?)]) -> StatementArguments {
        StatementArguments(
            Dictionary(named.compactMap { name, value in value.map { (name, $0) } }) { first, _ in first })
    }

    static func job(_ id: String, _ database: Database) throws -> JobRecord {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [id])
        else {
            if let tombstone = try tombstone(id, database) { throw removed(tombstone) }
            throw notFound("job", id)
        }
        return try JobRecord(row, database)
    }

    private static func removed(_ tombstone: Tombstone) -> Problem {
        let date = tombstone.removedAt.formatted(.iso8601)
        let why = tombstone.reason == .retention ? "by the retention policy" : "on request"
        return Problem(
            .gone, code: "job-removed", title: "The job was removed",
            detail: "Job \(tombstone.id) had \(tombstone.state.rawValue); it was removed \(why) at \(date).",
            fix: "Submit the job again; a model and data set that are still there can be used.")
    }

    static func sequence(of id: String, _ database: Database) throws -> Int64 {
        guard
            let seq = try Int64.fetchOne(database, sql: "SELECT seq FROM jobs WHERE id = ?", arguments: [id])
        else { throw notFound("job", id) }
        return seq
    }

    /// Number of jobs in each state; absent: none.
    public func jobCounts() async throws -> [JobState: Int] {
        try await read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT state, count(*) AS n FROM jobs GROUP BY state")
            return Dictionary(
                uniqueKeysWithValues: try rows.map { (try $0.enumCase("state", as: JobState.self), $0["n"]) })
        }
    }

    /// What waits, for metrics.
    public func queueStatus() async throws -> QueueStatus {
        try await read { [self] database in
            let uploads = try Row.fetchAll(
                database, sql: "SELECT state, count(*) AS n FROM uploads GROUP BY state")
            let oldest = try Double.fetchOne(
                database, sql: "SELECT min(created_at) FROM jobs WHERE state = 'queued'")
            return QueueStatus(
                paused: try Int.fetchOne(
                    database, sql: "SELECT count(*) FROM jobs WHERE paused IS NOT NULL") ?? 0,
                imports: try Int.fetchOne(
                    database,
                    sql: """
                        SELECT (SELECT count(*) FROM models WHERE state = 'importing')
                            + (SELECT count(*) FROM datasets WHERE state = 'importing')
                        """) ?? 0,
                oldestSeconds: oldest.map { max(0, now - $0) } ?? 0,
                uploads: Dictionary(
                    uniqueKeysWithValues: try uploads.map {
                        (try $0.enumCase("state", as: UploadState.self), $0["n"])
                    }))
        }
    }

    /// The jobs that have a worker, and the phase that it is in.
    public func runningJobs() async throws -> [RunningJob] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, phase, started_at, placement FROM jobs WHERE state IN ('running', 'cancelling')
                    ORDER BY started_at
                    """
            ).map {
                RunningJob(
                    job: $0["id"], phase: try $0.optionalCase("phase"),
                    since: try $0.requiredDate("started_at"), placement: try $0.json("placement"))
            }
        }
    }

    /// Every measured number, in order of phase, round and name.
    public func metrics(of id: String) async throws -> [MetricPoint] {
        try await read { database in
            let seq = try Self.sequence(of: id, database)
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM metrics WHERE job = ? ORDER BY round, name", arguments: [seq])
            let points = try rows.map {
                MetricPoint(
                    phase: try $0.enumCase("phase"), round: $0["round"], name: $0["name"], value: $0["value"])
            }
            return Phase.allCases.flatMap { phase in points.filter { $0.phase == phase } }
        }
    }
}

extension JobRecord {
    init(_ row: Row, _ database: Database) throws {
        let seq: Int64 = row["seq"]
        let phases = try Row.fetchAll(
            database, sql: "SELECT * FROM phases WHERE job = ? ORDER BY finished_at, round", arguments: [seq])
        let artifacts = try Row.fetchAll(
            database, sql: "SELECT * FROM artifacts WHERE job = ? ORDER BY role, label", arguments: [seq])
        let hasSamples = try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM samples WHERE job = ?)", arguments: [seq])
        id = row["id"]
        owner = row["owner"]
        paused = try row.optionalCase("paused")
        request = try row.requiredJSON("request")
        modelSHA256 = row["model_sha256"]
        state = try row.enumCase("state")
        phase = try row.optionalCase("phase")
        round = row["round"]
        progress = row["progress"]
        secondsLeft = row["seconds_left"]
        attempt = row["attempt"]
        preliminary = try row.json("preliminary")
        verdict = try row.json("verdict")
        metrics = try row.json("metrics")
        problem = try row.json("problem")
        self.phases = try phases.map {
            PhaseRecord(
                phase: try $0.enumCase("phase"), round: $0["round"], seconds: $0["seconds"],
                finishedAt: try $0.requiredDate("finished_at"))
        }
        self.artifacts = try artifacts.map {
            let label: Int = $0["label"]
            return JobArtifact(
                role: try $0.enumCase("role"), label: label >= 0 ? label : nil, blob: $0.blob)
        }
        placement = try row.json("placement")
        createdAt = try row.requiredDate("created_at")
        startedAt = row.date("started_at")
        finishedAt = row.date("finished_at")
        self.hasSamples = hasSamples ?? false
        delivery = try request.webhook == nil ? nil : JobStore.delivery(of: seq, database)
    }
}
