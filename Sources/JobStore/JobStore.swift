import ArtifactStore
import Findings
import Foundation
import GRDB
import Glibc
import Metrics
import Support

/// Everything the service must remember, in one SQLite file.
///
/// Reads run concurrently on their own connections (WAL). Every write, and so every checkpoint, is done by
/// the pool's one writer connection: SQLite before 3.51.3 can lose a WAL reset when two connections write.
/// The data directory's lock keeps other processes out. `synchronous=FULL`: a committed write survives a
/// power failure.
///
/// Methods that workers' messages end in are synchronous and block on the disk: call them on Dispatch
/// threads. The others are asynchronous and run on the database's own queues.
public final class JobStore: Sendable {
    let pool: DatabasePool
    let hub = ChangeNotifier()
    let metrics: any MetricsFactory

    /// Opens or creates the file and applies the migrations.
    /// - Throws: `Problem` of `DatabaseMigrator.apply`, or a `DatabaseError`.
    public init(path: String, metrics: any MetricsFactory = NOOPMetricsHandler.instance) throws {
        self.metrics = metrics
        // Made here with these rights; SQLite gives the WAL and its index the same.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw Problem(
                .internal, code: "database-not-openable", title: "The database cannot be opened",
                detail: "\(path): \(String(cString: strerror(errno)))")
        }
        Glibc.close(descriptor)
        var configuration = Configuration()
        configuration.label = "burn.database"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        pool = try DatabasePool(path: path, configuration: configuration)
        // After opening: the pool sets NORMAL when it turns WAL on.
        // The log that a long reader kept from being reset shrinks again.
        try pool.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(16 << 20)")
        }
        try DatabaseMigrator(Migrations.all).apply(to: pool)
    }

    /// Checkpoints and closes. Every later call fails.
    public func close() throws {
        try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try pool.close()
    }

    /// Whether the database answers a write, for readiness.
    public func ping() async throws {
        try await write { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM grdb_migrations") }
    }

    static func notFound(_ what: String, _ id: String) -> Problem {
        Problem(
            .notFound, code: "\(what)-not-found", title: "No such \(what)",
            detail: "There is no \(what) with the id \(id.prefix(64)).",
            fix: "GET /v1/\(what)s lists those that there are.")
    }

    static func clamp(_ limit: Int) -> Int { min(max(limit, 1), 1_000) }

    var now: Double { Date().timeIntervalSince1970 }
}
