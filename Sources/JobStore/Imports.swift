import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

/// The right to import one input: written results are taken only while it is the current one.
public struct ImportAttempt: Hashable, Sendable {
    public var kind: InputKind
    /// The input's id.
    public var id: String
    public var number: Int
    public var lease: String
    public var blob: Blob
    /// How a data set is read.
    public var options: ImportOptions?
    /// Where the graph of a model of weights alone comes from.
    public var skeleton: SkeletonSource?
}

/// Where the graph of a model comes from whose file holds weights alone.
public enum SkeletonSource: Hashable, Sendable {
    /// - `weights`: which copy of the weights is read, where the file holds several.
    case architecture(String, image: Int?, weights: String?)
    /// The content of another model.
    case blob(Blob, weights: String?)
    /// The model's own graph, of several outputs the one of this name or number.
    case output(String)
}

extension SkeletonSource {
    /// - Parameter row: with the column `import_options` of a model.
    /// - Throws: `Problem` `model-not-found` where the skeleton was deleted.
    init?(_ row: Row, _ database: Database) throws {
        guard let options: ModelImport = try row.json("import_options") else { return nil }
        if let name = options.architecture {
            self = .architecture(name, image: options.image, weights: options.weights)
            return
        }
        if let output = options.output {
            self = .output(output)
            return
        }
        guard let id = options.skeleton else { return nil }
        guard
            let found = try Row.fetchOne(
                database, sql: "SELECT sha256, size FROM models WHERE id = ?", arguments: [id])
        else { throw JobStore.notFound("model", id) }
        self = .blob(found.blob, weights: options.weights)
    }
}

/// A write came from an attempt that is not the current one any more. It changed nothing.
public struct StaleAttempt: Error, Hashable, Sendable {
    /// Job, model or data set.
    public var id: String
    public var number: Int
}

extension JobStore {
    /// Takes the oldest input that waits for its import and may start at `time`.
    /// - Parameter leaseTime: seconds after which the lease ends unless it is renewed.
    public func claimImport(lease: String, leaseTime: Double = 60, at time: Date = Date()) async throws
        -> ImportAttempt?
    {
        try await write { [self] database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT 'model' AS kind, id, attempt, sha256, size, import_options, created_at FROM models
                    WHERE state = 'importing' AND lease IS NULL AND not_before <= :now
                    UNION ALL
                    SELECT 'dataset', id, attempt, sha256, size, import_options, created_at FROM datasets
                    WHERE state = 'importing' AND lease IS NULL AND not_before <= :now
                    ORDER BY created_at LIMIT 1
                    """, arguments: ["now": time.timeIntervalSince1970])
            guard let row else { return nil }
            let kind: InputKind = try row.enumCase("kind")
            let attempt = ImportAttempt(
                kind: kind, id: row["id"], number: row["attempt"] + 1, lease: lease, blob: row.blob,
                options: kind == .dataset ? try row.json("import_options") : nil,
                skeleton: kind == .model ? try SkeletonSource(row, database) : nil)
            try database.execute(
                sql: """
                    UPDATE \(attempt.kind.table) SET attempt = ?, lease = ?, lease_until = ? WHERE id = ?
                    """, arguments: [attempt.number, lease, now + leaseTime, attempt.id])
            return attempt
        }
    }

    /// - Parameter pass: what one pass takes, where that was measured.
    public func finishImport(
        _ attempt: ImportAttempt, model summary: ModelSummary, pass: PassCost? = nil
    ) throws {
        try finishImport(
            attempt, summary: try Columns.json(summary), pass: .some(try pass.map { try Columns.json($0) }))
    }

    public func finishImport(_ attempt: ImportAttempt, dataset summary: DatasetSummary) throws {
        try finishImport(attempt, summary: try Columns.json(summary))
    }

    /// - Parameter pass: of a model; nil for a data set.
    private func finishImport(_ attempt: ImportAttempt, summary: String, pass: String?? = nil) throws {
        try fenced(attempt) { database in
            if let pass {
                try database.execute(
                    sql: "UPDATE models SET pass = ? WHERE id = ?", arguments: [pass, attempt.id])
            }
            try database.execute(
                sql:
                    "UPDATE \(attempt.kind.table) SET state = 'ready', summary = ?, lease = NULL WHERE id = ?",
                arguments: [summary, attempt.id])
        }
    }

    /// Marks the input as not usable, and fails the jobs that wait for it with the same problem.
    public func rejectImport(_ attempt: ImportAttempt, _ problem: Problem) throws {
        let failed = try fenced(attempt) { database in
            try database.execute(
                sql: """
                    UPDATE \(attempt.kind.table) SET state = 'rejected', problem = ?, lease = NULL
                    WHERE id = ?
                    """, arguments: [try Columns.json(problem), attempt.id])
            return try Self.failWaiting(attempt.kind, attempt.id, problem, now: now, database)
        }
        for job in failed { hub.signal(job) }
    }

    /// Fails the jobs that wait for an input.
    /// - Returns: their ids.
    @discardableResult
    static func failWaiting(
        _ kind: InputKind, _ id: String, _ problem: Problem, now: Double, _ database: Database
    ) throws -> [String] {
        let waiting = try Row.fetchAll(
            database, sql: "SELECT seq, id, attempt FROM jobs WHERE state = 'queued' AND \(kind.isTaken)",
            arguments: ["id": id])
        for row in waiting {
            try end(row["seq"], attempt: row["attempt"], .failed, problem: problem, now: now, database)
        }
        return waiting.map { $0["id"] as String }
    }

    /// Gives an import back unfinished: the service stops, or the disk is full.
    /// - Parameter delay: seconds before it may be taken again.
    public func releaseImport(_ attempt: ImportAttempt, delay: Double = 0) throws {
        try fenced(attempt) { database in
            try database.execute(
                sql: "UPDATE \(attempt.kind.table) SET lease = NULL, not_before = ? WHERE id = ?",
                arguments: [delay > 0 ? now + delay : 0, attempt.id])
        }
    }

    /// After a fault of the service: queues the import again, or rejects the input when it was tried again
    /// `limit` times already.
    /// - Parameter backoff: seconds before the first retry; doubles with each.
    /// - Returns: whether it is queued again.
    public func failImport(_ attempt: ImportAttempt, _ problem: Problem, backoff: Double, limit: Int) throws
        -> Bool
    {
        let isQueued = try fenced(attempt) { database in
            let failures = try Int.fetchOne(
                database, sql: "SELECT failures FROM \(attempt.kind.table) WHERE id = ?",
                arguments: [attempt.id])
            guard let failures, failures < limit else { return false }
            try database.execute(
                sql: """
                    UPDATE \(attempt.kind.table) SET lease = NULL, failures = failures + 1, not_before = ?
                    WHERE id = ?
                    """, arguments: [now + Self.delay(backoff, failures), attempt.id])
            return true
        }
        if !isQueued { try rejectImport(attempt, problem) }
        return isQueued
    }

    private func fenced<Result>(_ attempt: ImportAttempt, _ write: (Database) throws -> Result) throws
        -> Result
    {
        let result = try writeBlocking { database in
            let current = try Bool.fetchOne(
                database,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM \(attempt.kind.table)
                    WHERE id = ? AND attempt = ? AND lease = ? AND state = 'importing')
                    """, arguments: [attempt.id, attempt.number, attempt.lease])
            guard current == true else { throw StaleAttempt(id: attempt.id, number: attempt.number) }
            return try write(database)
        }
        hub.signal(attempt.id)
        return result
    }
}
