import Findings
import Foundation
import GRDB
import Support

extension JobStore {
    /// Stores a new job as queued, or gives back the one that the same idempotency key made before.
    /// - Parameters:
    ///   - requestHash: digest of the request's body; only compared.
    ///   - owner: the API key it is submitted with, if any; each has idempotency keys of its own.
    ///   - maximumQueuedOfOwner: more waiting jobs of one owner are refused.
    ///   - maximumQueued: more waiting jobs than this are refused.
    /// - Throws: `Problem` `model-not-found`, `dataset-not-found` (location: the JSON pointer);
    ///   `model-rejected`, `dataset-rejected` (conflict); `idempotency-key-reused` (unprocessable);
    ///   `queue-full`, `key-queue-full` (rateLimited); `reviews-of-another-case`, `reviews-missing`
    ///   (unprocessable).
    public func submit(
        _ request: JobRequest, idempotencyKey: String? = nil, requestHash: String = "",
        maximumQueued: Int = .max, owner: String? = nil, maximumQueuedOfOwner: Int = .max
    ) async throws -> Submission {
        let submission = try await write { [self] database in
            if let idempotencyKey,
                let earlier = try Self.replay(idempotencyKey, of: owner, requestHash, database)
            {
                return Submission(job: earlier, replayed: true)
            }
            let queued = try Int.fetchOne(database, sql: "SELECT count(*) FROM jobs WHERE state = 'queued'")
            guard queued ?? 0 < maximumQueued else {
                throw Problem(
                    .rateLimited, code: "queue-full", title: "Too many jobs are waiting",
                    detail: "\(maximumQueued) jobs are queued.", fix: "Submit again when some are done.")
            }
            if let owner { try Self.requireRoom(of: owner, maximumQueuedOfOwner, database) }
            try Self.requireInputs(request, database)
            let id = Identifier.make(.job)
            // In SQL, which takes the model's digest along; so the key below its job's owner and time.
            try database.execute(
                sql: """
                    INSERT INTO jobs (id, type, request, model_sha256, model_ref, dataset_ref, clean_ref,
                        triggered_ref, trusted_ref, state, owner, priority, created_at)
                    SELECT :id, :type, :request, sha256, id, :dataset, :clean, :triggered, :trusted, 'queued',
                        :owner, :priority, :now FROM models WHERE id = :model
                    """,
                arguments: [
                    "id": id, "type": request.type.rawValue, "request": try Columns.json(request),
                    "model": request.model, "dataset": request.dataset, "clean": request.evaluation?.clean,
                    "triggered": request.evaluation?.triggered, "trusted": request.options.trusted,
                    "owner": owner, "priority": request.priority, "now": now,
                ])
            let seq = database.lastInsertedRowID
            try Self.applyReviews(request, to: seq, database)
            try Self.appendState(.queued, of: seq, attempt: 0, now: now, database)
            if let idempotencyKey {
                try database.execute(
                    sql: """
                        INSERT INTO idempotency (owner, key, request_hash, job, created_at)
                        SELECT coalesce(owner, ''), :key, :hash, seq, created_at FROM jobs WHERE seq = :job
                        """, arguments: ["key": idempotencyKey, "hash": requestHash, "job": seq])
            }
            return Submission(job: try Self.job(id, database), replayed: false)
        }
        hub.signal(submission.job.id)
        return submission
    }

    private static func requireRoom(of owner: String, _ maximum: Int, _ database: Database) throws {
        let queued = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM jobs WHERE owner = ? AND state = 'queued'",
            arguments: [owner])
        guard queued ?? 0 < maximum else {
            throw Problem(
                .rateLimited, code: "key-queue-full", title: "Too many jobs of this key are waiting",
                detail: "\(maximum) jobs of the key may be queued.", fix: "Submit again when some are done.")
        }
    }

    private static func replay(_ key: String, of owner: String?, _ hash: String, _ database: Database) throws
        -> JobRecord?
    {
        guard (1...255).contains(key.unicodeScalars.count) else {
            throw Problem(
                .malformed, code: "invalid-idempotency-key", title: "The idempotency key is not usable",
                detail: "It has 1 to 255 characters.", location: "Idempotency-Key",
                fix: "Send a UUID of your own for each new job.")
        }
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT request_hash, jobs.id AS id FROM idempotency JOIN jobs ON jobs.seq = job
                WHERE idempotency.owner = ? AND key = ?
                """, arguments: [owner ?? "", key])
        guard let row else { return nil }
        guard row["request_hash"] == hash else {
            throw Problem(
                .unprocessable, code: "idempotency-key-reused", title: "The idempotency key was used before",
                detail: "A different request with this key made job \(row["id"] as String).",
                location: "Idempotency-Key", fix: "Use a new key for a new request.")
        }
        return try job(row["id"], database)
    }

    /// Each input exists and was not rejected; it may still be importing.
    static func requireInputs(_ request: JobRequest, _ database: Database) throws {
        let evaluation = request.evaluation
        let inputs: [(InputKind, String?, String)] = [
            (.model, request.model, "/model"), (.dataset, request.dataset, "/dataset"),
            (.dataset, evaluation?.clean, "/evaluation/clean"),
            (.dataset, evaluation?.triggered, "/evaluation/triggered"),
            (.dataset, request.options.trusted, "/options/trusted"),
        ]
        for (kind, id, location) in inputs {
            guard let id else { continue }
            let row = try Row.fetchOne(
                database, sql: "SELECT state, problem FROM \(kind.table) WHERE id = ?", arguments: [id])
            guard let row else {
                var problem = notFound(kind.rawValue, id)
                problem.location = location
                throw problem
            }
            guard let problem: Problem = try row.json("problem") else { continue }
            throw Problem(
                .conflict, code: "\(kind.rawValue)-rejected", title: "The \(kind.title) was rejected",
                detail: "\(id): \(problem.title): \(problem.detail)", location: location, fix: problem.fix)
        }
    }
}
