import Foundation
import GRDB

/// Told how long the database takes, for metrics. Called on the database's threads: must not block.
public protocol DatabaseObserver: Sendable {
    /// - Parameter operation: `read`, `write` (with its commit) or `checkpoint`.
    func databaseTook(_ seconds: Double, operation: String)
}

/// Every access to the database goes through here, so that its time is counted. The time spent waiting for the
/// one writer or a free reader is part of it.
extension JobStore {
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        defer { observe("read", since: start) }
        return try await pool.read(body)
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        let start = ContinuousClock.now
        defer { observe("write", since: start) }
        return try await pool.write(body)
    }

    func writeWithoutTransaction<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value)
        async throws -> Value
    {
        let start = ContinuousClock.now
        defer { observe("write", since: start) }
        return try await pool.writeWithoutTransaction(body)
    }

    /// For Dispatch threads.
    func writeBlocking<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let start = ContinuousClock.now
        defer { observe("write", since: start) }
        return try pool.write(body)
    }

    func observe(_ operation: String, since start: ContinuousClock.Instant) {
        observer?.databaseTook((ContinuousClock.now - start) / .seconds(1), operation: operation)
    }
}
