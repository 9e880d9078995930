import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

/// Sizes of the database's files, in bytes.
public struct DatabaseSizes: Hashable, Sendable {
    public var main: Int
    public var wal: Int
}

/// Everything that the artifact store must hold for the database to be whole.
public struct References: Sendable {
    /// SHA-256 to size.
    public var blobs: [String: Int] = [:]
    /// Data sets whose packed form must be there, with their inputs' records.
    public var readyDatasets: Set<String> = []
    /// Data sets of any state.
    public var datasets: Set<String> = []
    /// Models that are being probed, and jobs that may still go on: their work directories stay.
    public var workers: Set<String> = []
    /// Uploads that bytes are expected of, or that are being stored.
    public var uploads: [String: UploadRecord] = [:]
}

extension JobStore {
    /// What the rows refer to, at one point in time.
    public func references() async throws -> References { try await read { try Self.references($0) } }

    static func references(_ database: Database) throws -> References {
        var found = References()
        // What `rejectContent` has marked has no content any more.
        let lost =
            "state = 'rejected' AND json_extract(problem, '$.code') IN ('content-missing', 'content-damaged')"
        for row in try Row.fetchAll(
            database,
            sql: """
                SELECT sha256, size FROM models WHERE NOT (\(lost))
                UNION SELECT sha256, size FROM datasets WHERE NOT (\(lost))
                UNION SELECT sha256, size FROM artifacts
                UNION SELECT sha256, length FROM uploads WHERE state = 'committing'
                """)
        {
            found.blobs[row["sha256"]] = row["size"]
        }
        found.readyDatasets = Set(
            try String.fetchAll(database, sql: "SELECT id FROM datasets WHERE state = 'ready'"))
        found.datasets = Set(try String.fetchAll(database, sql: "SELECT id FROM datasets"))
        found.workers = Set(
            try String.fetchAll(
                database,
                sql: """
                    SELECT id FROM models WHERE state = 'importing'
                    UNION SELECT id FROM jobs WHERE state <> 'succeeded'
                    """))
        let uploads = try Row.fetchAll(
            database, sql: "SELECT * FROM uploads WHERE state IN ('receiving', 'checking', 'committing')")
        for upload in try uploads.map({ try UploadRecord($0) }) { found.uploads[upload.id] = upload }
        return found
    }

    /// Runs `body` while nothing can be written, with what is referred to: for the removal of the rest.
    public func withReferences(_ body: @escaping @Sendable (References) throws -> Void) async throws {
        try await write { try body(Self.references($0)) }
    }

    /// Bounds the write-ahead log: once it is larger than `limit`, it is written back and cut.
    ///
    /// SQLite itself writes it back every 1,000 pages, but can't cut it while somebody reads. A reader that
    /// is still there lets this fail softly; the next call tries again.
    /// - Returns: whether the log was cut.
    @discardableResult
    public func boundLog(limit: Int = 16 << 20) async throws -> Bool {
        guard try sizes().wal > limit else { return false }
        let start = ContinuousClock.now
        defer { observe("checkpoint", since: start) }
        return try await pool.writeWithoutTransaction { database in
            do {
                try database.checkpoint(.truncate)
                return true
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                return false
            }
        }
    }

    public func sizes() throws -> DatabaseSizes {
        func size(_ path: String) -> Int {
            ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
        }
        return DatabaseSizes(main: size(pool.path), wal: size(pool.path + "-wal"))
    }

    /// What SQLite finds wrong with the file, and rows that refer to none. Empty: all is well.
    public func integrityFaults() async throws -> [String] { try await read { try Self.faults($0) } }

    static func faults(_ database: Database) throws -> [String] {
        var faults = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
            faults.append("a row of \(row["table"] as String) refers to none of \(row["parent"] as String)")
        }
        return faults
    }

    // MARK: Repairs of `burnd fsck`

    /// Marks models and data sets whose content is gone or damaged as rejected, fails jobs that wait for
    /// them, and forgets artifacts of it.
    public func rejectContent(sha256: String, _ problem: Problem) async throws {
        let text = try Columns.json(problem)
        try await write { [self] database in
            for kind in InputKind.allCases {
                let ids = try String.fetchAll(
                    database, sql: "SELECT id FROM \(kind.table) WHERE sha256 = ? AND state <> 'rejected'",
                    arguments: [sha256])
                for id in ids {
                    try database.execute(
                        sql: """
                            UPDATE \(kind.table) SET state = 'rejected', problem = ?, lease = NULL WHERE id = ?
                            """, arguments: [text, id])
                    try Self.failWaiting(kind, id, problem, now: now, database)
                }
            }
            try database.execute(sql: "DELETE FROM artifacts WHERE sha256 = ?", arguments: [sha256])
        }
    }

    /// Queues the import of a data set whose packed form is gone.
    public func importAgain(dataset id: String) async throws {
        try await write { database in
            try database.execute(
                sql: """
                    UPDATE datasets SET state = 'importing', failures = 0, not_before = 0
                    WHERE id = ? AND state = 'ready'
                    """, arguments: [id])
        }
    }
}
