import GRDB
import Metrics
import Support

/// Every access to the database goes through here, so that its time is counted. The time spent waiting for the
/// one writer or a free reader is part of it.
extension JobStore {
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        defer { observe("read", since: start) }
        return try await named { try await pool.read(body) }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        let start = ContinuousClock.now
        defer { observe("write", since: start) }
        return try await named { try await pool.write(body) }
    }

    func writeWithoutTransaction<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value)
        async throws -> Value
    {
        let start = ContinuousClock.now
        defer { observe("write", since: start) }
        return try await named { try await pool.writeWithoutTransaction(body) }
    }

    /// For Dispatch threads.
    func readBlocking<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let start = ContinuousClock.now
        defer { observe("read", since: start) }
        do { return try pool.read(body) } catch { throw Self.named(error) }
    }

    /// For Dispatch threads.
    func writeBlocking<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let start = ContinuousClock.now
        defer { observe("write", since: start) }
        do { return try pool.write(body) } catch { throw Self.named(error) }
    }

    private func named<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch { throw Self.named(error) }
    }

    /// A full disk is a problem with a name, which clients and the queue understand.
    private static func named(_ error: any Error) -> any Error {
        guard error is DatabaseError, StorageFault.isDiskFull(error) else { return error }
        return Problem(
            .insufficientStorage, code: "disk-full", title: "No room left on the disk",
            detail: "The database could not be written: \(error)",
            fix: "Delete models, data sets or jobs that are not needed any more, or add disk space.")
    }

    /// - Parameter operation: `read`, `write` (with its commit) or `checkpoint`.
    func observe(_ operation: String, since start: ContinuousClock.Instant) {
        Timer(label: "burn_sqlite_seconds", dimensions: [("operation", operation)], factory: metrics)
            .record(duration: ContinuousClock.now - start)
    }
}
