import ArtifactStore
import Foundation
import GRDB
import Support

/// A copy of the database for a backup.
public struct DatabaseSnapshot: Sendable {
    /// SHA-256 to size: what models, data sets and results consist of.
    public var blobs: [String: Int]
    /// Data sets whose packed form belongs to it.
    public var readyDatasets: [String]

    /// Copies the database by SQLite's own backup, while a service may be using it: the source is only read.
    /// What resumable uploads have sent is not part of a backup, so the copy knows of none that is unfinished.
    /// - Parameter destination: a file that is not there yet.
    /// - Throws: `DatabaseError`; `Problem` `database-not-openable`.
    public init(of source: String, to destination: String) throws {
        let copy = try Self.copy(source, to: destination)
        try copy.write {
            try $0.execute(sql: "DELETE FROM uploads WHERE state IN ('receiving', 'checking', 'committing')")
        }
        let references = try copy.read { try JobStore.references($0) }
        blobs = references.blobs
        readyDatasets = references.readyDatasets.sorted()
        try copy.close()
    }

    /// Copies the database as it is, of whatever version.
    /// - Parameter destination: a file that is not there yet.
    /// - Throws: `DatabaseError`; `Problem` `database-not-openable`.
    public static func wholeCopy(of source: String, to destination: String) throws {
        try copy(source, to: destination).close()
    }

    /// The migrations that this program would apply to a database file, as it has none of them. Empty also where there
    /// is no database, or a new one.
    /// - Throws: `DatabaseError`; `Problem` `database-newer`, `migration-changed`.
    public static func missingMigrations(of path: String) throws -> [String] {
        guard try FileManager.default.fileExists(atPath: path) && DurableFile.size(of: path) > 0 else {
            return []
        }
        let queue = try openForReading(path)
        defer { try? queue.close() }
        return try DatabaseMigrator(Migrations.all).missing(in: queue)
    }

    private static func openForReading(_ path: String) throws -> DatabaseQueue {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Problem(
                .notFound, code: "database-not-openable", title: "The database cannot be opened",
                detail: "\(path) is not there.", fix: "Name the service's data directory with --data.")
        }
        var reading = Configuration()
        reading.readonly = true
        reading.busyMode = .timeout(10)
        return try DatabaseQueue(path: path, configuration: reading)
    }

    private static func copy(_ source: String, to destination: String) throws -> DatabaseQueue {
        let original = try openForReading(source)
        let copy = try DatabaseQueue(path: destination)
        try original.backup(to: copy)
        try original.close()
        // One file, without a log beside it.
        try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
        return copy
    }

    /// What SQLite finds wrong with a database file that nobody uses. Empty: all is well.
    public static func faults(of path: String) throws -> [String] {
        var reading = Configuration()
        reading.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: reading)
        defer { try? queue.close() }
        return try queue.read { try JobStore.faults($0) }
    }
}
