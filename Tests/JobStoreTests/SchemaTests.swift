import Findings
import Foundation
import GRDB
import Support
import Testing

@testable import JobStore

@Suite struct SchemaTests {
    /// Rows that no code may ever write, whoever wrote it.
    @Test(arguments: [
        "UPDATE jobs SET lease = NULL",
        "UPDATE jobs SET lease = NULL, state = 'succeeded', finished_at = 1",
        "UPDATE jobs SET state = 'succeeded', lease = NULL, verdict = '{}'",
        "UPDATE jobs SET state = 'failed', lease = NULL, finished_at = 1",
        "UPDATE jobs SET problem = '{}'",
        "UPDATE jobs SET finished_at = 1",
        "UPDATE jobs SET started_at = NULL",
        "UPDATE jobs SET progress = 1.5",
        "UPDATE jobs SET seconds_left = -1",
        "UPDATE jobs SET phase = 'thinking'",
        "UPDATE jobs SET state = 'paused'",
        "UPDATE jobs SET state = 'cancelled', lease = NULL, finished_at = 1",
        "UPDATE jobs SET verdict = 'not json'",
        "UPDATE jobs SET attempt = 0",
        "UPDATE jobs SET model_ref = 'mdl_nothing'",
        "UPDATE jobs SET dataset_ref = NULL",
        "UPDATE jobs SET round = 'one'",
        "UPDATE jobs SET type = 'look'",
        "UPDATE models SET state = 'rejected'",
        "UPDATE models SET summary = NULL",
        "UPDATE models SET sha256 = 'ABC'",
        "UPDATE models SET lease = 'a'",
        "UPDATE models SET name = ''",
        "UPDATE datasets SET state = 'ready', problem = '{}'",
        "DELETE FROM models",
        "DELETE FROM datasets",
        "DELETE FROM jobs",
        "UPDATE events SET data = '{}'",
        "DELETE FROM events",
        "INSERT INTO events (job, at, kind, data) VALUES (1, 0, 'gossip', '{}')",
        "INSERT INTO events (job, at, kind, data) VALUES (99, 0, 'state', '{}')",
        "INSERT INTO samples VALUES (1, -1, 'n', 0, 0, 0.5, 0, 0, 0, 0, 0)",
        "INSERT INTO samples VALUES (1, 0, 'n', 0, 0, 0.5, 0, 0, 0, 0, 1)",
        "INSERT INTO samples VALUES (1, 0, 'n', 0, 0, -0.5, 0, 0, 0, 1, 1)",
        "INSERT INTO samples VALUES (1, 0, 'n', 0, 0, NULL, 0, 0, 0, 1, 1)",
        "INSERT INTO artifacts VALUES (1, 'diary', -1, '0', 0)",
        "INSERT INTO reviews VALUES (1, 0, 'maybe', NULL)",
        "INSERT INTO reviews VALUES (1, 0, 'relabel', NULL)",
        "INSERT INTO reviews VALUES (1, 0, 'accept', 1)",
        "INSERT INTO curves VALUES (1, 'detection', 0, 'loss', -1, 0)",
        "INSERT INTO curves VALUES (1, 'detection', 0, 'loss', 1, NULL)",
        "INSERT INTO triggers VALUES (1, 0, 'a', '', 0.5, 0, 1)",
        "INSERT INTO triggers VALUES (1, 0, 'a', 'moments', 1.5, 0, 1)",
        "INSERT INTO assessments VALUES (1, 'not json')",
        "INSERT INTO phases VALUES (1, 'detection', 0, -1, 0)",
        "UPDATE jobs SET owner = 'key_nobody'",
    ])
    func illegalRowsAreRefused(sql: String) async throws {
        let test = try TestStore()
        _ = try await test.runningJob()
        #expect(throws: DatabaseError.self) { try test.execute(sql) }
    }

    @Test func aFinishedJobLetsItsInputsGoAndStaysReadable() async throws {
        let test = try TestStore()
        let job = try await test.job()
        _ = try await test.store.cancel(job.id)
        try test.execute("DELETE FROM models")
        try test.execute("DELETE FROM datasets")
        #expect(try await test.store.job(job.id).request.model == job.request.model)
        #expect(await problemCode { _ = try await test.store.retry(job.id) } == "model-not-found")
    }

    @Test func theDatabaseIsWALFullAndPrivate() throws {
        let test = try TestStore()
        let settings = try test.store.pool.writeWithoutTransaction { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
            )
        }
        #expect(settings == ("wal", 2, 1))
        for name in try FileManager.default.contentsOfDirectory(atPath: test.directory) {
            let mode = try FileManager.default.attributesOfItem(atPath: test.directory + "/" + name)[
                .posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600, "\(name)")
        }
    }

    // MARK: Migrations

    static let first: [(name: String, sql: String)] = [("0001_a.sql", "CREATE TABLE a (x) ;")]

    @Test func everyFileOfTheFolderIsAMigrationAsItIs() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../migrations").standardizedFileURL
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(Migrations.all.map(\.name) == names)
        for (name, sql) in Migrations.all {
            #expect(try String(contentsOf: folder.appending(path: name), encoding: .utf8) == sql, "\(name)")
        }
    }

    @Test func migrationsAreAppliedOnceAndInOrder() throws {
        let queue = try DatabaseQueue()
        try DatabaseMigrator(Self.first).apply(to: queue)
        let both = Self.first + [("0002_b.sql", "CREATE TABLE b (x); INSERT INTO b VALUES (7);")]
        for _ in 0..<2 { try DatabaseMigrator(both).apply(to: queue) }
        #expect(try queue.read { try Int.fetchAll($0, sql: "SELECT x FROM b") } == [7])
    }

    @Test func aChangedMigrationIsRefused() async throws {
        let queue = try DatabaseQueue()
        try DatabaseMigrator(Self.first).apply(to: queue)
        let changed: [(name: String, sql: String)] = [("0001_a.sql", "CREATE TABLE a (x);")]
        #expect(await problemCode { try DatabaseMigrator(changed).apply(to: queue) } == "migration-changed")
    }

    @Test func aNewerDatabaseIsRefused() async throws {
        let queue = try DatabaseQueue()
        try DatabaseMigrator(Self.first + [("0002_b.sql", "CREATE TABLE b (x);")]).apply(to: queue)
        #expect(await problemCode { try DatabaseMigrator(Self.first).apply(to: queue) } == "database-newer")
    }

    @Test func aFailingMigrationChangesNothing() throws {
        let queue = try DatabaseQueue()
        let broken = Self.first + [("0002_b.sql", "CREATE TABLE b (x); CREATE TABLE a (x);")]
        #expect(throws: DatabaseError.self) { try DatabaseMigrator(broken).apply(to: queue) }
        try DatabaseMigrator(Self.first).apply(to: queue)
        #expect(try queue.read { try $0.tableExists("b") } == false)
    }

    @Test func aGapInTheNumbersIsRefused() async throws {
        let queue = try DatabaseQueue()
        let gap = Self.first + [("0003_c.sql", "CREATE TABLE c (x);")]
        #expect(await problemCode { try DatabaseMigrator(gap).apply(to: queue) } == "migration-misnumbered")
    }
}
