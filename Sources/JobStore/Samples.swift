import Findings
import Foundation
import GRDB
import Support

/// What a job says of one sample, and what a person said.
public struct StoredSample: Hashable, Sendable {
    public var finding: SampleFinding
    public var review: SampleReview?
}

extension JobStore {
    /// Samples of the data set that a job is about; nil where it is not there any more.
    public func samples(in attempt: JobAttempt) throws -> Int? {
        try readBlocking { database in
            try Int.fetchOne(
                database, sql: "SELECT json_extract(summary, '$.samples') FROM datasets WHERE id = ?",
                arguments: [attempt.request.dataset])
        }
    }

    /// Stores findings, 1,000 a transaction; one for an index that is there replaces it.
    /// - Throws: `StaleAttempt`, or a `DatabaseError` for values that no finding can have.
    public func record(_ samples: [SampleFinding], by attempt: JobAttempt) throws {
        for start in stride(from: 0, to: samples.count, by: 1_000) {
            try fenced(attempt) { database in
                // In SQL: a record for each sample takes the processor two to three times as long. Unchecked, which
                // makes up for the names: an argument that is missing is NULL, and no column takes that.
                let statement = try database.cachedStatement(
                    sql: """
                        INSERT INTO samples (job, sample, name, given_label, predicted_label, boundary_distance,
                            adversarial_label, coherence, score, flagged, restored_label,
                            label_confidence)
                        VALUES (:job, :sample, :name, :given, :predicted, :distance, :adversarial, :coherence,
                            :score, :flagged, :restored, :confidence)
                        ON CONFLICT DO UPDATE SET name = excluded.name, given_label = excluded.given_label,
                            predicted_label = excluded.predicted_label,
                            boundary_distance = excluded.boundary_distance,
                            adversarial_label = excluded.adversarial_label, coherence = excluded.coherence,
                            score = excluded.score, flagged = excluded.flagged,
                            restored_label = excluded.restored_label,
                            label_confidence = excluded.label_confidence
                        """)
                for sample in samples[start..<min(start + 1_000, samples.count)] {
                    statement.setUncheckedArguments([
                        "job": attempt.seq, "sample": sample.index, "name": sample.name,
                        "given": sample.givenLabel, "predicted": sample.predictedLabel,
                        "distance": sample.boundaryDistance, "adversarial": sample.adversarialLabel,
                        "coherence": sample.coherence, "score": sample.score, "flagged": sample.flagged,
                        "restored": sample.restoredLabel, "confidence": sample.labelConfidence,
                    ])
                    try statement.execute()
                }
            }
        }
    }

    /// One page of a job's findings; equal sort keys are in order of index.
    /// - Parameter limit: clamped to 1...1000.
    /// - Throws: `Problem` `job-not-found`, `samples-not-ready` (conflict), `invalid-cursor`.
    public func samples(of id: String, _ query: SampleQuery, limit: Int, cursor: String? = nil) async throws
        -> Page<StoredSample>
    {
        let name = query.cursorName(id)
        let position = try cursor.map { try Cursor($0, of: name) }
        let limit = Self.clamp(limit)
        return try await read { database in
            let seq = try Self.requireSamples(of: id, database)
            let rows = try query.rows(job: seq, after: position, limit: limit + 1, database)
            let items = try rows.prefix(limit).map { try StoredSample($0) }
            guard rows.count > limit, let last = items.last else {
                return Page(items: items, nextCursor: nil)
            }
            let next = Cursor(
                query: name, key: query.keyValue(last.finding), row: Int64(last.finding.index))
            return Page(items: items, nextCursor: next.text)
        }
    }

    /// - Throws: `Problem` `job-not-found`, `samples-not-ready` (conflict), `sample-not-found`.
    public func sample(of id: String, _ index: Int) async throws -> StoredSample {
        try await read { database in
            let seq = try Self.requireSamples(of: id, database)
            let row = try Row.fetchOne(
                database, sql: SampleQuery.selection + " WHERE s.job = ? AND s.sample = ?",
                arguments: [seq, index])
            guard let row else { throw Self.sampleNotFound(index, id) }
            return try StoredSample(row)
        }
    }

    /// - Throws: as `sample`.
    public func requireSample(_ index: Int, of id: String) async throws {
        _ = try await sample(of: id, index)
    }

    public static func sampleNotFound(_ index: Int, _ job: String) -> Problem {
        Problem(
            .notFound, code: "sample-not-found", title: "No such sample",
            detail: "Job \(job) has no sample \(index).",
            fix: "GET /v1/jobs/\(job)/samples lists those that there are.")
    }

    /// - Returns: the job's number.
    /// - Throws: `Problem` `job-not-found`, `samples-not-ready` (conflict).
    static func requireSamples(of id: String, _ database: Database) throws -> Int64 {
        let job = try job(id, database)
        guard job.hasSamples else {
            throw Problem(
                .conflict, code: "samples-not-ready", title: "There are no findings yet",
                detail: "Job \(id) is \(job.state.rawValue) and has no findings of its samples.",
                fix: "Wait until the boundary analysis is finished.")
        }
        return try sequence(of: id, database)
    }

    /// Every finding of the query, a page at a time as the consumer asks for it: constant memory.
    /// - Throws: as `samples`, from the stream.
    public func samplePages(of id: String, _ query: SampleQuery, pageSize: Int = 1_000) -> SamplePages {
        SamplePages(store: self, job: id, query: query, pageSize: pageSize)
    }
}

/// All findings of a query, page by page.
public struct SamplePages: AsyncSequence, Sendable {
    let store: JobStore
    let job: String
    let query: SampleQuery
    let pageSize: Int

    public func makeAsyncIterator() -> Iterator { Iterator(pages: self) }

    public struct Iterator: AsyncIteratorProtocol {
        let pages: SamplePages
        var cursor: String?
        var isDone = false

        public mutating func next() async throws -> [StoredSample]? {
            if isDone { return nil }
            let page = try await pages.store.samples(
                of: pages.job, pages.query, limit: pages.pageSize, cursor: cursor)
            cursor = page.nextCursor
            isDone = cursor == nil
            return page.items
        }
    }
}
