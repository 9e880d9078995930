import Foundation
import GRDB
import Support

/// Migrations named by file and checksum: what GRDB records of a database tells whether they are the program's.
extension DatabaseMigrator {
    /// - Throws: `Problem` `migration-misnumbered`.
    init(_ files: [(name: String, sql: String)]) throws {
        self.init()
        for (index, (name, sql)) in files.enumerated() {
            guard Int(name.prefix(4)) == index + 1 else {
                throw Self.refusal(
                    "migration-misnumbered", "\(name) is number \(index + 1) of the program's.")
            }
            // Foreign keys are checked as rows change, and not once more over the whole database. A file that makes
            // a table anew which others refer to needs `.deferred`.
            let identifier = "\(name) sha256:\(Digest.sha256(Data(sql.utf8)).hexadecimal)"
            registerMigration(identifier, foreignKeyChecks: .immediate) { try $0.execute(sql: sql) }
        }
    }

    /// Applies what is missing, each in a transaction of its own. A database that a newer program wrote, or whose
    /// migrations differ from the program's, is refused untouched.
    /// - Throws: `Problem` `database-newer`, `migration-changed`.
    func apply(to writer: some DatabaseWriter) throws {
        try writer.write { database in
            try Self.takeOver(database)
            try compare(appliedIdentifiers(database).sorted())
        }
        try migrate(writer)
    }

    /// The migrations that a database of an earlier version lacks; the database is only read. Empty for one that has none
    /// yet: it is new.
    /// - Throws: `Problem` `database-newer`, `migration-changed`.
    func missing(in reader: some DatabaseReader) throws -> [String] {
        let applied = try reader.read { database in
            let isOld = try database.tableExists("migrations")
            guard try isOld || database.tableExists("grdb_migrations") else { return [String]() }
            return try String.fetchAll(
                database,
                sql: isOld
                    ? "SELECT name || ' sha256:' || checksum FROM migrations"
                    : "SELECT identifier FROM grdb_migrations"
            ).sorted()
        }
        try compare(applied)
        return applied.isEmpty ? [] : Array(migrations.dropFirst(applied.count))
    }

    private func compare(_ applied: [String]) throws {
        for (index, found) in applied.enumerated() {
            guard index < migrations.count else {
                throw Self.refusal(
                    "database-newer",
                    "A newer version wrote it: it has \(found), which this one, \(EmbeddedRelease.version), does not know."
                )
            }
            let expected = migrations[index]
            guard found == expected else {
                throw Self.refusal("migration-changed", "It has \(found), this program \(expected).")
            }
        }
    }

    /// Earlier versions recorded names and checksums in a table `migrations`. A view in its place lets them see
    /// whether the database fits them.
    private static func takeOver(_ database: Database) throws {
        if try database.tableExists("migrations") {
            try database.execute(
                sql: """
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                    INSERT INTO grdb_migrations SELECT name || ' sha256:' || checksum FROM migrations;
                    DROP TABLE migrations;
                    """)
        }
        try database.execute(
            sql: """
                CREATE VIEW IF NOT EXISTS migrations AS
                SELECT CAST(identifier AS INTEGER) AS number, substr(identifier, -64) AS checksum,
                    substr(identifier, 1, length(identifier) - 72) AS name FROM grdb_migrations
                """)
    }

    private static func refusal(_ code: String, _ detail: String) -> Problem {
        Problem(
            .internal, code: code, title: "The database does not fit this program", detail: detail,
            fix: "Run the version of the program that wrote the database, or restore a backup.")
    }
}
