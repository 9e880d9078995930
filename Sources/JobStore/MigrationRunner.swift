import Crypto
import Foundation
import GRDB
import Support

/// Applies numbered SQL files in order, each in one transaction, and records their checksums.
///
/// A database that a newer program wrote, or whose recorded migrations differ from the program's, is
/// refused untouched.
struct MigrationRunner {
    struct Migration {
        var name: String
        var sql: String

        var checksum: String {
            SHA256.hash(data: Data(sql.utf8)).hexadecimal
        }
    }

    var migrations: [Migration]

    init(_ migrations: [(name: String, sql: String)]) {
        self.migrations = migrations.map { Migration(name: $0.name, sql: $0.sql) }
    }

    /// - Throws: `Problem` `database-newer`, `migration-changed`, `migration-misnumbered`.
    func apply(to writer: some DatabaseWriter) throws {
        for (index, migration) in migrations.enumerated() where Int(migration.name.prefix(4)) != index + 1 {
            throw refusal(
                "migration-misnumbered", "\(migration.name) is number \(index + 1) of the program's.")
        }
        try writer.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS migrations (
                        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
                        applied_at REAL NOT NULL
                    ) STRICT
                    """)
        }
        let applied = try writer.read {
            try Row.fetchAll($0, sql: "SELECT * FROM migrations ORDER BY number")
        }
        for (index, row) in applied.enumerated() {
            let name: String = row["name"]
            guard index < migrations.count else {
                throw refusal("database-newer", "It has \(name), which this program does not know.")
            }
            let number: Int = row["number"]
            let checksum: String = row["checksum"]
            let expected = migrations[index]
            guard number == index + 1, name == expected.name, checksum == expected.checksum else {
                throw refusal(
                    "migration-changed",
                    "\(name) was applied with checksum \(checksum), this program has \(expected.name) with "
                        + "\(expected.checksum).")
            }
        }
        for (index, migration) in migrations.enumerated().dropFirst(applied.count) {
            try writer.write { database in
                try database.execute(sql: migration.sql)
                try database.execute(
                    sql: "INSERT INTO migrations VALUES (?, ?, ?, ?)",
                    arguments: [
                        index + 1, migration.name, migration.checksum, Date().timeIntervalSince1970,
                    ])
            }
        }
    }

    private func refusal(_ code: String, _ detail: String) -> Problem {
        Problem(
            .internal, code: code, title: "The database does not fit this program", detail: detail,
            fix: "Run the version of the program that wrote the database, or restore a backup.")
    }
}
