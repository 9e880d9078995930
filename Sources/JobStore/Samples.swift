import Findings
import Foundation
import GRDB
import Problems

extension JobStore {
    /// Stores findings, 1,000 a transaction; one for an index that is there replaces it.
    /// - Throws: `StaleAttempt`, or a `DatabaseError` for values that no finding can have.
    public func record(_ samples: [SampleFinding], by attempt: JobAttempt) throws {
        for start in stride(from: 0, to: samples.count, by: 1_000) {
            try fenced(attempt) { database in
                let statement = try database.cachedStatement(
                    sql: """
                        INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET name = excluded.name, given_label = excluded.given_label,
                            predicted_label = excluded.predicted_label,
                            boundary_distance = excluded.boundary_distance,
                            adversarial_label = excluded.adversarial_label, coherence = excluded.coherence,
                            score = excluded.score, flagged = excluded.flagged,
                            restored_label = excluded.restored_label
                        """)
                for sample in samples[start..<min(start + 1_000, samples.count)] {
                    try statement.execute(arguments: [
                        attempt.seq, sample.index, sample.name, sample.givenLabel, sample.predictedLabel,
                        sample.boundaryDistance, sample.adversarialLabel, sample.coherence, sample.score,
                        sample.flagged, sample.restoredLabel,
                    ])
                }
            }
        }
    }

    /// One page of a job's findings; equal sort keys are in order of index.
    /// - Parameter limit: clamped to 1...1000.
    /// - Throws: `Problem` `job-not-found`, `samples-not-ready` (conflict), `invalid-cursor`.
    public func samples(of id: String, _ query: SampleQuery, limit: Int, cursor: String? = nil) async throws
        -> Page<SampleFinding>
    {
        let name = query.cursorName(id)
        let position = try cursor.map { try Cursor($0, of: name) }
        let limit = Self.clamp(limit)
        return try await read { database in
            let job = try Self.job(id, database)
            guard job.hasSamples else {
                throw Problem(
                    .conflict, code: "samples-not-ready", title: "There are no findings yet",
                    detail: "Job \(id) is \(job.state.rawValue) and has no findings of its samples.",
                    fix: "Wait until the boundary analysis is finished.")
            }
            let rows = try query.rows(
                job: try Self.sequence(of: id, database), after: position, limit: limit + 1, database)
            let items = try rows.prefix(limit).map { try SampleFinding($0) }
            guard rows.count > limit, let last = items.last else {
                return Page(items: items, nextCursor: nil)
            }
            let next = Cursor(query: name, key: query.keyValue(last), row: Int64(last.index))
            return Page(items: items, nextCursor: next.text)
        }
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

        public mutating func next() async throws -> [SampleFinding]? {
            if isDone { return nil }
            let page = try await pages.store.samples(
                of: pages.job, pages.query, limit: pages.pageSize, cursor: cursor)
            cursor = page.nextCursor
            isDone = cursor == nil
            return page.items
        }
    }
}

extension SampleQuery {
    fileprivate var column: String { key == .index ? "sample" : key.rawValue }

    fileprivate func cursorName(_ job: String) -> String {
        let flagged = flagged.map { $0 ? "1" : "0" } ?? ""
        let label = givenLabel.map(String.init) ?? ""
        return "samples|\(job)|\(flagged)|\(label)|\(key.rawValue)|\(descending)"
    }

    fileprivate func keyValue(_ sample: SampleFinding) -> Double {
        switch key {
        case .index: 0
        case .score: sample.score
        case .coherence: sample.coherence
        case .boundaryDistance: sample.boundaryDistance
        }
    }

    fileprivate func rows(job: Int64, after position: Cursor?, limit: Int, _ database: Database) throws
        -> [Row]
    {
        let comparison = descending ? "<" : ">"
        let order = descending ? "DESC" : "ASC"
        var conditions = ["job = :job"]
        // Written out, so that the partial index of flagged samples can serve.
        if let flagged { conditions.append("flagged = \(flagged ? 1 : 0)") }
        if givenLabel != nil { conditions.append("given_label = :label") }
        if position != nil {
            conditions.append(
                key == .index
                    ? "sample \(comparison) :row" : "(\(column), sample) \(comparison) (:key, :row)")
        }
        let ordering = key == .index ? "sample \(order)" : "\(column) \(order), sample \(order)"
        return try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM samples WHERE \(conditions.joined(separator: " AND "))
                ORDER BY \(ordering) LIMIT :limit
                """,
            arguments: JobStore.arguments([
                ("job", job), ("limit", limit), ("label", givenLabel), ("row", position?.row),
                ("key", key == .index ? nil : position?.real),
            ]))
    }
}

extension SampleFinding {
    fileprivate init(_ row: Row) throws {
        self.init(
            index: row["sample"], name: row["name"], givenLabel: row["given_label"],
            predictedLabel: row["predicted_label"], boundaryDistance: row["boundary_distance"],
            adversarialLabel: row["adversarial_label"], coherence: row["coherence"], score: row["score"],
            flagged: row["flagged"], restoredLabel: row["restored_label"])
    }
}
