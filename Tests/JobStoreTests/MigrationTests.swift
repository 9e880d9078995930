import Foundation
import GRDB
import Support
import Testing

@testable import JobStore

/// Databases that other versions of the program wrote.
@Suite struct MigrationTests {
    /// As the versions before GRDB's migrator recorded the files: in a table of their own.
    private static let recorded = [
        ("0001_initial.sql", "6514901e1011c3b66c44b19b209b19bdde54d35fa60df8b7bd0fbf25f2e389eb"),
        ("0002_access.sql", "5184b7f39ce70ab7c66d25e42faa8ac145991e59999c279364362b0edb7e42f3"),
        ("0003_storage.sql", "206405334555ec6d093e9a49a6b39639ccda47a0211fe1bfe547c805c3302a87"),
        ("0004_imports.sql", "9626ee250ed505c2ffaf16aa18fd1eaa9b372d0487b38fe624a7dac7babd5793"),
        ("0005_evidence.sql", "4773f37ba394896c22996d716304f6c87949a9590366797fa703b1be86cfc240"),
        ("0006_trusted.sql", "170dec4022e4685969e1c8c82294da328bb37e3892af86eb7142e1e33a6737bc"),
        ("0007_checks.sql", "a599f8403f4b91b6493342a7ea52fdf01234b93e1aa7e98df0caabeda76d1c8e"),
    ]

    private static func record(_ files: [(String, String)], _ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE migrations (
                    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
                    applied_at REAL NOT NULL
                ) STRICT
                """)
        for (number, (name, checksum)) in files.enumerated() {
            try database.execute(
                sql: "INSERT INTO migrations VALUES (?, ?, ?, 0)", arguments: [number + 1, name, checksum])
        }
    }

    /// What an earlier version reads to see whether the database fits it.
    private static func seenByEarlierVersions(_ database: Database) throws -> [String] {
        try Row.fetchAll(database, sql: "SELECT * FROM migrations ORDER BY number").map {
            "\($0["number"] as Int) \($0["name"] as String) \($0["checksum"] as String)"
        }
    }

    /// With the files that came since.
    private static var whole: [String] {
        let all =
            recorded + [
                ("0008_mechanisms.sql", "f946aa2caca34aa1b967800457deb234930a3db06d8d00d14d4810c30b4b2017"),
                ("0009_suspects.sql", "5914f807f34b7ffcec68a99bf711f9cdb2904f7cefa9742acfc1c2c251b815fd"),
                ("0010_webhooks.sql", "c2e0e8e5b41141020770d58f4a0cedc8e2ff9377cf296f37f0125c6c99257936"),
                ("0011_placement.sql", "f8f39760a3e88fc36f8b394e9bbe1db18f732fc207b48d8ed13f38dc4eeb79f0"),
                ("0012_job_slots.sql", "7dfd7fffd118677defa2735d6ab695bbac478443e81c0fe7737c41bbe78f1d12"),
                ("0013_preliminary.sql", "a84224790374ffb583c4dd617308aa351c18310098264b92761ffa9b29553514"),
                ("0014_estimates.sql", "eebab9f899614bc400d508471d8b363aafc80a54d4d4445b117d0dba193f02d0"),
            ]
        return all.enumerated().map { "\($0 + 1) \($1.0) \($1.1)" }
    }

    @Test(arguments: 1...7) func aDatabaseOfAnEarlierVersionIsTakenOver(count: Int) throws {
        let queue = try DatabaseQueue()
        let (id, sha) = ("mdl_" + String(repeating: "0", count: 26), String(repeating: "a", count: 64))
        try queue.write { database in
            for file in Migrations.all.prefix(count) { try database.execute(sql: file.sql) }
            try Self.record(Array(Self.recorded.prefix(count)), database)
            try database.execute(
                sql: """
                    INSERT INTO models (id, name, sha256, size, state, created_at)
                    VALUES ('\(id)', 'm', '\(sha)', 1, 'importing', 0)
                    """)
        }
        for _ in 0..<2 { try DatabaseMigrator(Migrations.all).apply(to: queue) }
        try queue.read { database in
            let models = try String.fetchAll(database, sql: "SELECT id FROM models")
            #expect(models == [id])
            #expect(try database.tableExists("migrations") == false)
            #expect(try Self.seenByEarlierVersions(database) == Self.whole)
            #expect(try JobStore.faults(database) == [])
        }
    }

    @Test func aStoreOfAnEarlierVersionKeepsItsJobs() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.record([TestStore.sample(0)], by: attempt)
        let job = try await test.store.job(attempt.job)
        try await test.store.pool.write { database in
            #expect(try Self.seenByEarlierVersions(database) == Self.whole)
            try database.execute(sql: "DROP VIEW migrations; DROP TABLE grdb_migrations")
            try database.execute(
                sql: """
                    ALTER TABLE samples DROP COLUMN label_confidence; DROP TABLE deliveries;
                    ALTER TABLE jobs DROP COLUMN placement; ALTER TABLE keys DROP COLUMN job_slots;
                    ALTER TABLE jobs DROP COLUMN preliminary; ALTER TABLE jobs DROP COLUMN is_enlarged;
                    ALTER TABLE models DROP COLUMN pass
                    """)
            try Self.record(Self.recorded, database)
        }
        try test.store.close()
        let store = try JobStore(path: test.path)
        #expect(try await store.job(attempt.job) == job)
        try await store.ping()
        try store.finish(attempt, .stopped)
        try store.close()
    }

    private static let a = (name: "0001_a.sql", sql: "CREATE TABLE a (x) ;")
    private static let b = (name: "0002_b.sql", sql: "CREATE TABLE b (x);")
    private static let c = (name: "0003_c.sql", sql: "CREATE TABLE c (x);")

    /// Each is refused as it is, byte by byte, whichever version recorded what was applied.
    @Test(
        arguments: [
            ("database-newer", [a, b], ""),
            ("migration-changed", [a, (name: "0002_b.sql", sql: "CREATE TABLE b (y);"), c], ""),
            ("migration-changed", [a, (name: "0002_d.sql", sql: b.sql), c], ""),
            ("migration-changed", [a, b, c], "0002"),
            ("migration-changed", [a, (name: "0002_b.sql", sql: "CREATE TABLE b (y);")], ""),
        ], [false, true])
    func whatDoesNotFitIsRefusedUntouched(
        _ refusal: (code: String, files: [(name: String, sql: String)], missing: String), earlier: Bool
    ) async throws {
        let path = NSTemporaryDirectory() + "burn-refused-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let queue = try DatabaseQueue(path: path)
        try DatabaseMigrator([Self.a, Self.b, Self.c]).apply(to: queue)
        try await queue.write { database in
            if earlier {
                let files = try Row.fetchAll(database, sql: "SELECT name, checksum FROM migrations").map {
                    ($0["name"] as String, $0["checksum"] as String)
                }
                try database.execute(sql: "DROP VIEW migrations; DROP TABLE grdb_migrations")
                try Self.record(files, database)
            }
            let (table, name) = earlier ? ("migrations", "name") : ("grdb_migrations", "identifier")
            if !refusal.missing.isEmpty {
                try database.execute(sql: "DELETE FROM \(table) WHERE \(name) GLOB '\(refusal.missing)*'")
            }
        }
        let before = try Data(contentsOf: URL(filePath: path))
        #expect(
            await problemCode { try DatabaseMigrator(refusal.files).apply(to: queue) } == refusal.code)
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }
}
