import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

/// The rows of resumable uploads.
extension JobStore {
    /// - Parameters:
    ///   - maximumUnfinished: an owner with as many gets no more.
    ///   - admit: called in the transaction with the bytes that the owner's uploads take already; throws where
    ///     this one does not fit beside them. Not called for an upload without an owner.
    /// - Throws: `Problem` `too-many-uploads` (rateLimited); what `admit` throws.
    public func insertUpload(
        _ request: UploadRequest, maximumUnfinished: Int = .max,
        admit: @escaping @Sendable (_ takenBytes: Int) throws -> Void = { _ in }
    ) async throws -> UploadRecord {
        try await write { [self] database in
            if let owner = request.owner { try admit(Self.takenBytes(of: owner, database)) }
            let unfinished = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM uploads WHERE owner IS ? AND state IN ('receiving', 'checking')",
                arguments: [request.owner])
            guard unfinished ?? 0 < maximumUnfinished else {
                throw Problem(
                    .rateLimited, code: "too-many-uploads", title: "Too many uploads are unfinished",
                    detail: "\(maximumUnfinished) uploads are not finished yet.",
                    fix: "Finish or delete one of them.")
            }
            let upload = UploadRecord(
                id: Identifier.make(.upload), owner: request.owner, kind: request.kind, name: request.name,
                length: request.length, metadata: request.metadata, expectedSHA256: request.expectedSHA256,
                state: .receiving, createdAt: Date(timeIntervalSince1970: now), expiresAt: request.expiresAt)
            try RowOf(content: upload).insert(database)
            return try Self.upload(upload.id, database)
        }
    }

    /// - Throws: `Problem` `upload-not-found`.
    public func upload(_ id: String) async throws -> UploadRecord {
        try await read { try Self.upload(id, $0) }
    }

    /// Every upload in one of the states, oldest first.
    public func uploads(in states: Set<UploadState>) async throws -> [UploadRecord] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM uploads ORDER BY seq").map {
                try UploadRecord($0)
            }.filter { states.contains($0.state) }
        }
    }

    /// Whose time is over, whatever their state.
    public func expiredUploads(at time: Date = Date()) async throws -> [UploadRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql:
                    "SELECT * FROM uploads WHERE expires_at <= ? AND state NOT IN ('checking', 'committing')",
                arguments: [time.timeIntervalSince1970]
            ).map { try UploadRecord($0) }
        }
    }

    /// Bytes came: the upload lives on until `expiresAt`.
    public func renewUpload(_ id: String, expiresAt: Date) async throws {
        try await write { database in
            try database.execute(
                sql: "UPDATE uploads SET expires_at = ? WHERE id = ?",
                arguments: [expiresAt.timeIntervalSince1970, id])
        }
    }

    /// Forgets an upload.
    /// - Throws: `Problem` `upload-not-found`, `upload-committing` (conflict).
    public func deleteUpload(_ id: String) async throws {
        try await write { database in
            guard try Self.upload(id, database).state != .committing else {
                throw Problem(
                    .conflict, code: "upload-committing", title: "The upload is being stored",
                    detail: "All bytes of \(id) are there.", fix: "Delete what was made of it.")
            }
            try database.execute(sql: "DELETE FROM uploads WHERE id = ?", arguments: [id])
        }
    }

    // MARK: The end of an upload, on Dispatch threads

    /// All bytes are there, and a look at them begins: written before, so that one that ends with the service is known.
    /// - Returns: how often one was begun, this one with it.
    public func beginCheck(upload id: String, sha256: String) throws -> Int {
        try writeBlocking { database in
            let checks = try Int.fetchOne(
                database,
                sql: """
                    UPDATE uploads SET state = 'checking', sha256 = ?, checks = checks + 1
                    WHERE id = ? AND state IN ('receiving', 'checking') RETURNING checks
                    """, arguments: [sha256, id])
            guard let checks else { throw Self.notFound("upload", id) }
            return checks
        }
    }

    /// The look did not take place, or something of the service's kept it from its end: another one may begin.
    /// - Parameter counts: whether the file may have been the cause.
    public func releaseCheck(upload id: String, counts: Bool = false) throws {
        try writeBlocking { database in
            try database.execute(
                sql: """
                    UPDATE uploads SET state = 'receiving', sha256 = NULL, checks = checks - ?
                    WHERE id = ? AND state = 'checking'
                    """, arguments: [counts ? 0 : 1, id])
        }
    }

    /// All bytes are there and good: from here on the upload is finished, by a later start if need be.
    /// - Parameter model: what the checks found the model to be.
    public func beginCommit(upload id: String, sha256: String, model: ModelSummary? = nil) throws {
        let summary = try model.map { try Columns.json($0) }
        try writeBlocking { database in
            try database.execute(
                sql: """
                    UPDATE uploads SET state = 'committing', summary = ?
                    WHERE id = ? AND sha256 = ? AND state = 'checking'
                    """, arguments: [summary, id, sha256])
            guard database.changesCount == 1 else { throw Self.notFound("upload", id) }
        }
    }

    /// Makes the model or data set of a committing upload, once: a repetition gives the same id.
    /// - Parameter check: runs in the transaction; throws when the blob is not there.
    /// - Throws: `Problem` `skeleton-gone` (unprocessable) where the model that was to give its graph was deleted.
    public func finishUpload(
        _ id: String, blob: Blob, options: UploadOptions = .none, check: (Blob) throws -> Void
    ) throws -> UploadRecord {
        let text: String? =
            switch options {
            case .none: nil
            case .model(let options): try Columns.json(options)
            case .dataset(let options): try Columns.json(options)
            }
        let record = try writeBlocking { database in
            let upload = try Self.upload(id, database)
            if upload.state == .finished { return upload }
            guard upload.state == .committing, upload.sha256 == blob.sha256 else {
                throw Self.notFound("upload", id)
            }
            try check(blob)
            if case .model(let options) = options, let skeleton = options.skeleton,
                try Row.fetchOne(database, sql: "SELECT 1 FROM models WHERE id = ?", arguments: [skeleton])
                    == nil
            {
                throw Problem(
                    .unprocessable, code: "skeleton-gone", title: "The skeleton is not there any more",
                    detail: "The model \(skeleton.prefix(64)) was deleted while the upload came.",
                    location: "skeleton", fix: "Upload it again, and then the weights with its new id.")
            }
            let summary = try String.fetchOne(
                database, sql: "SELECT summary FROM uploads WHERE id = ?", arguments: [id])
            let input = try Self.insertInput(
                upload.kind, name: upload.name, blob: blob, summary: summary, owner: upload.owner,
                options: text, now: now, database)
            try database.execute(
                sql: "UPDATE uploads SET state = 'finished', input = ? WHERE id = ?", arguments: [input, id])
            return try Self.upload(id, database)
        }
        return record
    }

    public func rejectUpload(_ id: String, _ problem: Problem) throws {
        let text = try Columns.json(problem)
        try writeBlocking { database in
            try database.execute(
                sql: """
                    UPDATE uploads SET state = 'rejected', problem = ?, sha256 = NULL
                    WHERE id = ? AND state IN ('receiving', 'checking', 'committing')
                    """, arguments: [text, id])
        }
    }

    private static func upload(_ id: String, _ database: Database) throws -> UploadRecord {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM uploads WHERE id = ?", arguments: [id])
        else { throw notFound("upload", id) }
        return try UploadRecord(row)
    }
}

extension UploadRecord {
    init(_ row: Row) throws {
        self.init(
            id: row["id"], owner: row["owner"], kind: try row.enumCase("kind"), name: row["name"],
            length: row["length"], metadata: row["metadata"], expectedSHA256: row["expected_sha256"],
            state: try row.enumCase("state"), sha256: row["sha256"], input: row["input"],
            problem: try row.json("problem"), createdAt: try row.requiredDate("created_at"),
            expiresAt: try row.requiredDate("expires_at"))
    }
}
