import Findings
import Foundation
import GRDB
import Support

/// How long finished jobs are kept. The default keeps them for good.
public struct RetentionPolicy: Hashable, Sendable {
    /// Seconds since a job finished.
    public var age: Double?
    /// The number of finished jobs; the oldest go first.
    public var count: Int?
    /// Seconds that a removed job's tombstone stays.
    public var tombstoneAge: Double

    public init(age: Double? = nil, count: Int? = nil, tombstoneAge: Double = 365 * 86_400) {
        self.age = age
        self.count = count
        self.tombstoneAge = tombstoneAge
    }
}

/// What is left of a removed job.
public struct Tombstone: Hashable, Sendable {
    public enum Reason: String, Codable, Hashable, Sendable, CaseIterable {
        case retention, request
    }

    public var id: String
    public var state: JobState
    public var removedAt: Date
    public var reason: Reason
}

extension JobStore {
    /// Samples of a removed job that one transaction deletes.
    private static let removalBatch = 5_000

    /// Ids of the finished jobs that the policy lets go, oldest first.
    public func expiredJobs(_ policy: RetentionPolicy, at time: Date = Date()) async throws -> [String] {
        try await read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT id FROM (
                        SELECT id, finished_at, row_number() OVER (ORDER BY finished_at DESC, seq DESC) AS place
                        FROM jobs WHERE finished_at IS NOT NULL)
                    WHERE finished_at < ? OR place > ? ORDER BY finished_at
                    """,
                arguments: [
                    policy.age.map { time.timeIntervalSince1970 - $0 } ?? -.greatestFiniteMagnitude,
                    policy.count ?? .max,
                ])
        }
    }

    /// Removes a finished job with all that it found; a tombstone stays.
    /// - Parameter removeBlob: called after the commit, still by the one writer, for each content that nothing
    ///   refers to any more.
    /// - Throws: `.notFound`; `.conflict` `job-not-finished`.
    public func removeJob(
        _ id: String, reason: Tombstone.Reason, removeBlob: @escaping @Sendable (String) throws -> Void
    ) async throws {
        let seq = try await write { [self] database in
            let job = try Self.job(id, database)
            guard job.state.isTerminal else {
                throw Problem(
                    .conflict, code: "job-not-finished", title: "The job is not finished",
                    detail: "Job \(id) is \(job.state.rawValue).", fix: "Cancel it first.")
            }
            // First, so that a removal that is cut short goes on as one. In SQL, which copies the job's columns.
            try database.execute(
                sql: """
                    INSERT INTO tombstones (id, owner, type, state, result, created_at, finished_at, removed_at, reason)
                    SELECT id, owner, type, state, json_extract(verdict, '$.result'), created_at, finished_at, :now,
                        :reason FROM jobs WHERE id = :id ON CONFLICT DO NOTHING
                    """, arguments: ["id": id, "now": now, "reason": reason.rawValue])
            return try Self.sequence(of: id, database)
        }
        // In steps: other writers need not wait for millions of rows.
        while try await write({ database in
            try database.execute(
                sql: """
                    DELETE FROM samples WHERE job = ?1 AND sample IN
                        (SELECT sample FROM samples WHERE job = ?1 LIMIT \(Self.removalBatch))
                    """, arguments: [seq])
            return database.changesCount > 0
        }) {}
        try await writeWithoutTransaction { database in
            var unused: [String] = []
            try database.inTransaction {
                let blobs = try String.fetchAll(
                    database, sql: "SELECT DISTINCT sha256 FROM artifacts WHERE job = ?", arguments: [seq])
                try database.execute(sql: "DELETE FROM events WHERE job = ?", arguments: [seq])
                try database.execute(sql: "DELETE FROM jobs WHERE seq = ?", arguments: [seq])
                unused = try blobs.filter { try !Self.isReferenced($0, database) }
                return .commit
            }
            for sha256 in unused { try removeBlob(sha256) }
        }
        hub.signal(id)
    }

    /// Forgets tombstones that are old enough.
    public func removeTombstones(_ policy: RetentionPolicy, at time: Date = Date()) async throws {
        try await write { database in
            try database.execute(
                sql: "DELETE FROM tombstones WHERE removed_at < ? AND id NOT IN (SELECT id FROM jobs)",
                arguments: [time.timeIntervalSince1970 - policy.tombstoneAge])
        }
    }

    /// Nil for a job that is there, never was, or is long forgotten.
    public func tombstone(_ id: String) async throws -> Tombstone? {
        try await read { try Self.tombstone(id, $0) }
    }

    static func tombstone(_ id: String, _ database: Database) throws -> Tombstone? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM tombstones WHERE id = ?1 AND id NOT IN (SELECT id FROM jobs)",
            arguments: [id]
        ).map {
            Tombstone(
                id: $0["id"], state: try $0.enumCase("state"), removedAt: try $0.requiredDate("removed_at"),
                reason: try $0.enumCase("reason"))
        }
    }
}
