import Findings
import Foundation
import GRDB
import Support

/// What a change of reviews came to.
public struct ReviewChange: Codable, Hashable, Sendable {
    /// Samples named.
    public var changed: Int
    /// Reviews that the job has now.
    public var total: Int
}

/// A decision, or that there is none any more.
public struct ReviewEdit: Hashable, Sendable {
    public var index: Int
    /// Nil: the review is taken back.
    public var decision: SampleReview.Decision?
    /// Set exactly for `relabel`.
    public var label: Int?

    public init(index: Int, decision: SampleReview.Decision?, label: Int? = nil) {
        self.index = index
        self.decision = decision
        self.label = label
    }
}

extension JobStore {
    /// Adds, changes and takes back reviews, all or none.
    /// - Throws: `Problem` `job-not-found`; `samples-not-ready` (conflict); `review-sample-unknown`
    ///   (unprocessable, located by JSON pointer).
    public func review(_ id: String, _ edits: [ReviewEdit]) async throws -> ReviewChange {
        let change = try await write { database in
            let seq = try Self.requireSamples(of: id, database)
            let exists = try database.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM samples WHERE job = ? AND sample = ?)")
            for (place, edit) in edits.enumerated() {
                guard try Bool.fetchOne(exists, arguments: [seq, edit.index]) == true else {
                    throw Problem(
                        .unprocessable, code: "review-sample-unknown", title: "There is no such sample",
                        detail: "Job \(id) has no sample \(edit.index).", location: "/items/\(place)/index",
                        fix: "Name a sample by its index, from 0 on, as GET /v1/jobs/\(id)/samples has it.")
                }
                if let decision = edit.decision {
                    let row = ReviewRow(job: seq, sample: edit.index, decision: decision, label: edit.label)
                    try row.insert(database, onConflict: .replace)
                } else {
                    try ReviewRow.deleteOne(database, key: ["job": seq, "sample": edit.index])
                }
            }
            let total = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM reviews WHERE job = ?", arguments: [seq])
            return ReviewChange(changed: edits.count, total: total ?? 0)
        }
        hub.signal(id)
        return change
    }

    /// In order of the samples' indices.
    /// - Throws: `Problem` `job-not-found`, `invalid-cursor`.
    public func reviews(of id: String, limit: Int, cursor: String? = nil) async throws -> Page<SampleReview> {
        let query = "reviews|\(id)"
        let after = try cursor.map { try Cursor($0, of: query).row } ?? -1
        let limit = Self.clamp(limit)
        return try await read { database in
            _ = try Self.job(id, database)
            let items = try Self.reviews(
                "reviews", of: try Self.sequence(of: id, database), after: after, limit: limit + 1, database)
            let next =
                items.count > limit ? Cursor(query: query, row: Int64(items[limit - 1].index)).text : nil
            return Page(items: Array(items.prefix(limit)), nextCursor: next)
        }
    }

    /// Those that a purification goes by, a page at a time, in order of the samples' indices.
    public func appliedReviews(of attempt: JobAttempt, after: Int64 = -1, limit: Int = 1_000) throws
        -> [SampleReview]
    {
        try readBlocking {
            try Self.reviews("applied_reviews", of: attempt.seq, after: after, limit: limit, $0)
        }
    }

    private static func reviews(
        _ table: String, of seq: Int64, after: Int64, limit: Int, _ database: Database
    ) throws -> [SampleReview] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM \(table) WHERE job = ? AND sample > ? ORDER BY sample LIMIT ?",
            arguments: [seq, after, limit]
        ).map {
            SampleReview(index: $0["sample"], decision: try $0.enumCase("decision"), label: $0["label"])
        }
    }

    /// Keeps another job's reviews, as they are now, for a new job to go by. In a transaction of the writer.
    /// - Throws: `Problem` `job-not-found`, `reviews-of-another-case`, `reviews-missing` (unprocessable).
    static func applyReviews(_ request: JobRequest, to seq: Int64, _ database: Database) throws {
        guard let source = request.reviewsOf else { return }
        let reviewed: JobRecord
        do { reviewed = try job(source, database) } catch var problem as Problem {
            problem.location = "/reviews_of"
            throw problem
        }
        guard reviewed.request.model == request.model, reviewed.request.dataset == request.dataset else {
            throw Problem(
                .unprocessable, code: "reviews-of-another-case", title: "The reviews are of another case",
                detail: "Job \(source) is about \(reviewed.request.model) and \(reviewed.request.dataset).",
                location: "/reviews_of", fix: "Name a job of the same model and the same data set.")
        }
        try database.execute(
            sql: """
                INSERT INTO applied_reviews (job, sample, decision, label)
                SELECT :job, sample, decision, label FROM reviews
                WHERE job = (SELECT seq FROM jobs WHERE id = :source)
                """, arguments: ["job": seq, "source": source])
        guard database.changesCount > 0 else {
            throw Problem(
                .unprocessable, code: "reviews-missing", title: "There are no reviews",
                detail: "Nobody has decided about a sample of job \(source).", location: "/reviews_of",
                fix: "PUT /v1/jobs/\(source)/reviews first, or leave reviews_of out.")
        }
    }
}
