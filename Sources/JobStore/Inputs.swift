import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

/// What an upload is; the two kinds live in tables of the same columns.
public enum InputKind: String, Encodable, Hashable, Sendable, CaseIterable {
    case model, dataset

    var table: String { rawValue + "s" }
    var prefix: Identifier.Prefix { self == .model ? .model : .dataset }
    var title: String { self == .model ? "model" : "data set" }
    /// Where a job names inputs of this kind.
    var jobColumns: [String] {
        self == .model ? ["model_ref"] : ["dataset_ref", "clean_ref", "triggered_ref", "trusted_ref"]
    }
    /// SQL: a job takes in the input `:id`.
    var isTaken: String { "(" + jobColumns.map { "\($0) = :id" }.joined(separator: " OR ") + ")" }
}

extension JobStore {
    /// - Throws: `Problem` `model-not-found`.
    public func model(_ id: String) async throws -> ModelRecord { try await input(.model, id) }
    /// - Throws: `Problem` `dataset-not-found`.
    public func dataset(_ id: String) async throws -> DatasetRecord { try await input(.dataset, id) }

    /// Newest first. `cursor` is a `nextCursor` of this listing; another throws `Problem` `invalid-cursor`.
    public func models(limit: Int, cursor: String?) async throws -> Page<ModelRecord> {
        try await inputs(.model, limit: limit, cursor: cursor)
    }

    /// Newest first. `cursor` is a `nextCursor` of this listing; another throws `Problem` `invalid-cursor`.
    public func datasets(limit: Int, cursor: String?) async throws -> Page<DatasetRecord> {
        try await inputs(.dataset, limit: limit, cursor: cursor)
    }

    private func input<Summary>(_ kind: InputKind, _ id: String) async throws -> InputRecord<Summary> {
        try await read { database in
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT * FROM \(kind.table) WHERE id = ?", arguments: [id])
            else { throw Self.notFound(kind.rawValue, id) }
            return try InputRecord(row)
        }
    }

    private func inputs<Summary>(_ kind: InputKind, limit: Int, cursor: String?) async throws
        -> Page<InputRecord<Summary>>
    {
        let query = kind.table
        let before = try cursor.map { try Cursor($0, of: query).row } ?? .max
        let limit = Self.clamp(limit)
        return try await read { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM \(kind.table) WHERE seq < ? ORDER BY seq DESC LIMIT ?",
                arguments: [before, limit + 1])
            let next = rows.count > limit ? Cursor(query: query, row: rows[limit - 1]["seq"]).text : nil
            return Page(items: try rows.prefix(limit).map { try InputRecord($0) }, nextCursor: next)
        }
    }

    /// Registers an upload as importing.
    /// - Parameters:
    ///   - summary: what is known of it before it was probed or decoded.
    ///   - owner: the API key it was uploaded with, if any.
    ///   - options: JSON of what it was uploaded with, if anything.
    ///   - check: runs in the transaction; throws when the blob is not there. Deletions of blobs are done
    ///     by the same writer, so it cannot vanish in between.
    func insert<Summary>(
        _ kind: InputKind, name: String, blob: Blob, summary: Summary?, owner: String?,
        options: String? = nil, check: @escaping @Sendable (Blob) throws -> Void
    ) async throws -> InputRecord<Summary> {
        guard (1...255).contains(name.unicodeScalars.count),
            name.isPlain
        else {
            throw Problem(
                .malformed, code: "invalid-name", title: "The name is not usable",
                detail: "A name has 1 to 255 characters, none of them a control or invisible character.",
                location: "name",
                fix: "Use letters, digits, spaces and punctuation.")
        }
        let summaryText = try summary.map { try Columns.json($0) }
        return try await write { [self] database in
            try check(blob)
            let id = try Self.insertInput(
                kind, name: name, blob: blob, summary: summaryText, owner: owner, options: options, now: now,
                database)
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT * FROM \(kind.table) WHERE id = ?", arguments: [id])
            else { throw Self.notFound(kind.rawValue, id) }
            return try InputRecord(row)
        }
    }

    /// In a transaction of the writer.
    /// - Returns: the new id.
    static func insertInput(
        _ kind: InputKind, name: String, blob: Blob, summary: String?, owner: String?, options: String? = nil,
        now: Double, _ database: Database
    ) throws -> String {
        let id = Identifier.make(kind.prefix)
        // By name, as a record has but one table.
        try database.execute(
            sql: """
                INSERT INTO \(kind.table)
                    (id, name, sha256, size, state, summary, owner, import_options, created_at)
                VALUES (:id, :name, :sha256, :size, 'importing', :summary, :owner, :options, :now)
                """,
            arguments: [
                "id": id, "name": name, "sha256": blob.sha256, "size": blob.size, "summary": summary,
                "owner": owner, "options": options, "now": now,
            ])
        return id
    }

    public func insertModel(
        name: String, blob: Blob, summary: ModelSummary? = nil, owner: String? = nil,
        options: ModelImport? = nil, check: @escaping @Sendable (Blob) throws -> Void = { _ in }
    ) async throws -> ModelRecord {
        try await insert(
            .model, name: name, blob: blob, summary: summary, owner: owner,
            options: options.map { try Columns.json($0) }, check: check)
    }

    public func insertDataset(
        name: String, blob: Blob, owner: String? = nil, options: ImportOptions? = nil,
        check: @escaping @Sendable (Blob) throws -> Void = { _ in }
    ) async throws -> DatasetRecord {
        try await insert(
            .dataset, name: name, blob: blob, summary: nil, owner: owner,
            options: options.map { try Columns.json($0) }, check: check)
    }

    /// Removes an input; finished jobs that used it stay.
    /// - Parameter removeBlob: called after the commit, still by the one writer, when nothing refers to the
    ///   content any more.
    /// - Throws: `.notFound`; `.conflict` `model-in-use`, `dataset-in-use`.
    public func deleteInput(
        _ kind: InputKind, _ id: String, removeBlob: @escaping @Sendable (String) throws -> Void
    ) async throws {
        try await writeWithoutTransaction { database in
            var unused: String?
            try database.inTransaction {
                unused = try Self.deleteInput(kind, id, database)
                return .commit
            }
            if let unused { try removeBlob(unused) }
        }
        hub.signal(id)
    }

    /// - Returns: the SHA-256 of a blob that nothing refers to any more.
    private static func deleteInput(_ kind: InputKind, _ id: String, _ database: Database) throws -> String? {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT sha256, lease FROM \(kind.table) WHERE id = ?", arguments: [id])
        else { throw notFound(kind.rawValue, id) }
        func inUse(_ detail: String, _ fix: String) -> Problem {
            Problem(
                .conflict, code: "\(kind.rawValue)-in-use", title: "The \(kind.title) is in use",
                detail: detail, fix: fix)
        }
        if row["lease"] as String? != nil {
            throw inUse("It is being imported.", "Wait until it is ready or rejected.")
        }
        let job = try String.fetchOne(
            database,
            sql: """
                SELECT id FROM jobs
                WHERE \(kind.isTaken) AND state IN ('queued', 'running', 'cancelling') LIMIT 1
                """, arguments: ["id": id])
        if kind == .model,
            let other = try String.fetchOne(
                database,
                sql: """
                    SELECT id FROM models
                    WHERE import_options IS NOT NULL AND json_extract(import_options, '$.skeleton') = ? LIMIT 1
                    """, arguments: [id])
        {
            throw inUse("Model \(other) has its graph from it.", "Delete that model first.")
        }
        if let job { throw inUse("Job \(job) needs it.", "Cancel the job, or wait until it is finished.") }
        try database.execute(sql: "DELETE FROM \(kind.table) WHERE id = ?", arguments: [id])
        let sha256: String = row["sha256"]
        return try isReferenced(sha256, database) ? nil : sha256
    }

    static func isReferenced(_ sha256: String, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                SELECT EXISTS (SELECT 1 FROM models WHERE sha256 = :sha256)
                    OR EXISTS (SELECT 1 FROM datasets WHERE sha256 = :sha256)
                    OR EXISTS (SELECT 1 FROM artifacts WHERE sha256 = :sha256)
                    OR EXISTS (SELECT 1 FROM uploads WHERE sha256 = :sha256 AND state = 'committing')
                """, arguments: ["sha256": sha256]) ?? false
    }
}

extension InputRecord {
    init(_ row: Row) throws {
        self.init(
            id: row["id"], name: row["name"], blob: row.blob, state: try row.enumCase("state"),
            problem: try row.json("problem"), summary: try row.json("summary"), owner: row["owner"],
            modelImport: Summary.self == ModelSummary.self ? try row.json("import_options") : nil,
            importOptions: Summary.self == DatasetSummary.self ? try row.json("import_options") : nil,
            createdAt: try row.requiredDate("created_at"))
    }
}
