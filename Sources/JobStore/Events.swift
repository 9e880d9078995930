import Findings
import Foundation
import GRDB
import Support
import WorkerProtocol

extension JobStore {
    /// Events of a job with an id above `after`, oldest first.
    public func events(of job: String, after: Int64 = 0, limit: Int = 1_000) async throws -> [JobEvent] {
        try await read { try Self.events(of: job, after: after, limit: Self.clamp(limit), $0) }
    }

    private static func events(of job: String, after: Int64, limit: Int, _ database: Database) throws
        -> [JobEvent]
    {
        let seq = try sequence(of: job, database)
        let rows = try Row.fetchAll(
            database, sql: "SELECT * FROM events WHERE job = ? AND id > ? ORDER BY id LIMIT ?",
            arguments: [seq, after, limit])
        return try rows.map {
            JobEvent(
                id: $0["id"], job: job, at: try $0.requiredDate("at"), kind: try $0.enumCase("kind"),
                data: $0["data"])
        }
    }

    /// The events of a job above `after`: those stored, then each new one as it is committed.
    public func eventStream(of job: String, after: Int64 = 0) -> JobEvents {
        JobEvents(store: self, job: job, after: after)
    }

    fileprivate func nextEvents(of job: String, after: Int64) async throws -> (page: [JobEvent], ended: Bool)
    {
        try await read { database in
            let page = try Self.events(of: job, after: after, limit: 500, database)
            return (page, try Self.job(job, database).state.isTerminal)
        }
    }

    /// Reads after every change of `id` until `isDone`, at most for `timeout`; then reads once more.
    public func wait<Value: Sendable>(
        for id: String, timeout: Duration, until isDone: @escaping @Sendable (Value) -> Bool,
        read: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let changes = hub.changes(of: id)
        let first = try await read()
        if isDone(first) || timeout <= .zero { return first }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                if isDone(try await read()) { return }
                for await _ in changes where isDone(try await read()) { return }
            }
            group.addTask { try await Task.sleep(for: timeout) }
            try await group.next()
            group.cancelAll()
        }
        return try await read()
    }

    // MARK: Appending, in a transaction of the writer

    static func append(
        _ kind: JobEvent.Kind, _ data: some Encodable, to seq: Int64, now: Double, _ database: Database
    ) throws {
        try EventRow(job: seq, at: now, kind: kind, data: try Columns.json(data)).insert(database)
    }

    private struct StateData: Encodable {
        var state: JobState
        var attempt: Int
        var problem: Problem?
        var paused: PauseReason?
        var slurm: WorkerPlacement?
    }

    static func appendState(
        _ state: JobState, of seq: Int64, attempt: Int, problem: Problem? = nil,
        paused: PauseReason? = nil, placement: WorkerPlacement? = nil, now: Double, _ database: Database
    ) throws {
        try append(
            .state,
            StateData(state: state, attempt: attempt, problem: problem, paused: paused, slurm: placement),
            to: seq, now: now, database)
    }
}

/// The events of one job. Ends when the job is finished and everything was given out, or when the task is
/// cancelled; throws `Problem` `job-not-found`.
///
/// Nothing is missed: an iterator subscribes before it reads, and reads by id after every wake-up.
public struct JobEvents: AsyncSequence, Sendable {
    let store: JobStore
    let job: String
    let after: Int64

    public func makeAsyncIterator() -> Iterator {
        Iterator(
            store: store, job: job, last: after, changes: store.hub.changes(of: job).makeAsyncIterator())
    }

    public struct Iterator: AsyncIteratorProtocol {
        let store: JobStore
        let job: String
        var last: Int64
        var changes: AsyncStream<Void>.Iterator
        var pending: ArraySlice<JobEvent> = []

        public mutating func next() async throws -> JobEvent? {
            while true {
                if let event = pending.popFirst() { return event }
                let (page, ended) = try await store.nextEvents(of: job, after: last)
                if let newest = page.last {
                    last = newest.id
                    pending = page[...]
                } else if ended {
                    return nil
                } else if await changes.next() == nil {
                    return nil
                }
            }
        }
    }
}
