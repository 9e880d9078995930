import Foundation
import GRDB
import Support

/// What a key may do. Each scope contains the ones before it.
public enum KeyScope: String, Codable, Hashable, Sendable, CaseIterable {
    case read, submit, admin
}

/// What one key may take; nil: the configuration's value.
public struct KeyQuota: Codable, Hashable, Sendable {
    /// Uploads kept, in bytes as they came.
    public var storedBytes: Int?
    /// Jobs that wait.
    public var queuedJobs: Int?
    public var uploadBytesPerHour: Int?
    /// Slots that one job uses.
    public var jobSlots: Int?

    public init(
        storedBytes: Int? = nil, queuedJobs: Int? = nil, uploadBytesPerHour: Int? = nil, jobSlots: Int? = nil
    ) {
        self.storedBytes = storedBytes
        self.queuedJobs = queuedJobs
        self.jobSlots = jobSlots
        self.uploadBytesPerHour = uploadBytesPerHour
    }
}

/// An API key as the store holds it: its secret is not in it.
public struct KeyRecord: Codable, Hashable, Sendable {
    /// `key_…`.
    public var id: String
    public var name: String
    /// SHA-256 of the secret, in lower-case hexadecimal.
    public var secretSHA256: String
    public var scope: KeyScope
    public var quota: KeyQuota
    public var createdAt: Date
    public var expiresAt: Date?
    public var revokedAt: Date?

    public init(
        id: String, name: String, secretSHA256: String, scope: KeyScope, quota: KeyQuota = KeyQuota(),
        createdAt: Date = Date(), expiresAt: Date? = nil, revokedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.secretSHA256 = secretSHA256
        self.scope = scope
        self.quota = quota
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    public func isUsable(at date: Date = Date()) -> Bool {
        revokedAt == nil && expiresAt.map { date < $0 } ?? true
    }
}

extension JobStore {
    public func insertKey(_ key: KeyRecord) async throws {
        try await pool.write { try KeyRow(key: key).insert($0) }
    }

    /// Every key there ever was, oldest first.
    public func keys() async throws -> [KeyRecord] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM keys ORDER BY id").map { try KeyRecord($0) }
        }
    }

    /// - Throws: `Problem` `key-not-found`, `key-revoked` (conflict).
    @discardableResult
    public func revokeKey(_ id: String) async throws -> KeyRecord {
        try await pool.write { database in
            guard
                let row = try Row.fetchOne(database, sql: "SELECT * FROM keys WHERE id = ?", arguments: [id])
            else { throw Self.notFound("key", id) }
            var key = try KeyRecord(row)
            guard key.revokedAt == nil else {
                throw Problem(
                    .conflict, code: "key-revoked", title: "The key is revoked already",
                    detail: "Key \(id) was revoked before.",
                    fix: "There is nothing left to do; for access, make another one: burnd keys create NAME")
            }
            key.revokedAt = Date(timeIntervalSince1970: now)
            try database.execute(
                sql: "UPDATE keys SET revoked_at = ? WHERE id = ?",
                arguments: [key.revokedAt?.timeIntervalSince1970, id])
            return key
        }
    }

    /// Calls `body` with the bytes that a key's uploads take, while the one writer adds none to them.
    public func withTakenBytes<Value: Sendable>(
        of owner: String, _ body: @escaping @Sendable (Int) throws -> Value
    ) async throws -> Value {
        try await write { try body(Self.takenBytes(of: owner, $0)) }
    }

    /// Bytes of the models and data sets that were uploaded with a key and are still kept, and those that its
    /// unfinished uploads will have.
    static func takenBytes(of owner: String, _ database: Database) throws -> Int {
        try Int.fetchOne(
            database,
            sql: """
                SELECT (SELECT coalesce(sum(size), 0) FROM models WHERE owner = :owner)
                    + (SELECT coalesce(sum(size), 0) FROM datasets WHERE owner = :owner)
                    + (SELECT coalesce(sum(length), 0) FROM uploads
                        WHERE owner = :owner AND state IN ('receiving', 'checking', 'committing'))
                """, arguments: ["owner": owner]) ?? 0
    }
}

/// The parts of a key's quota are columns.
private struct KeyRow: PersistableRecord {
    static let databaseTableName = "keys"
    let key: KeyRecord

    func encode(to row: inout PersistenceContainer) {
        row["id"] = key.id
        row["name"] = key.name
        row["secret_sha256"] = key.secretSHA256
        row["scope"] = key.scope.rawValue
        row["stored_bytes"] = key.quota.storedBytes
        row["queued_jobs"] = key.quota.queuedJobs
        row["upload_bytes_per_hour"] = key.quota.uploadBytesPerHour
        row["job_slots"] = key.quota.jobSlots
        row["created_at"] = key.createdAt.timeIntervalSince1970
        row["expires_at"] = key.expiresAt?.timeIntervalSince1970
    }
}

extension KeyRecord {
    init(_ row: Row) throws {
        self.init(
            id: row["id"], name: row["name"], secretSHA256: row["secret_sha256"],
            scope: try row.enumCase("scope"),
            quota: KeyQuota(
                storedBytes: row["stored_bytes"], queuedJobs: row["queued_jobs"],
                uploadBytesPerHour: row["upload_bytes_per_hour"], jobSlots: row["job_slots"]),
            createdAt: try row.requiredDate("created_at"), expiresAt: row.date("expires_at"),
            revokedAt: row.date("revoked_at"))
    }
}
