/// The database's migrations, compiled into the program: it needs no file beside it.
public enum Migrations {
    /// File name and SQL text, in the order they are applied. A file that was released never changes.
    public static let all: [(name: String, sql: String)] = [
        // The build names an embedded file after itself, with `_` for what no identifier has.
        ("0001_initial.sql", String(decoding: PackageResources._001_initial_sql, as: UTF8.self)),
        ("0002_access.sql", String(decoding: PackageResources._002_access_sql, as: UTF8.self)),
        ("0003_storage.sql", String(decoding: PackageResources._003_storage_sql, as: UTF8.self)),
        ("0004_imports.sql", String(decoding: PackageResources._004_imports_sql, as: UTF8.self)),
        ("0005_evidence.sql", String(decoding: PackageResources._005_evidence_sql, as: UTF8.self)),
        ("0006_trusted.sql", String(decoding: PackageResources._006_trusted_sql, as: UTF8.self)),
        ("0007_checks.sql", String(decoding: PackageResources._007_checks_sql, as: UTF8.self)),
    ]
}
