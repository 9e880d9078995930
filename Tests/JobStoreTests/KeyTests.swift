import Foundation
import GRDB
import Support
import Testing

@testable import JobStore

@Suite struct KeyTests {
    private static func key(_ name: String = "a", quota: KeyQuota = KeyQuota(), expiresAt: Date? = nil)
        -> KeyRecord
    {
        KeyRecord(
            id: Identifier.make(.key), name: name,
            secretSHA256: (0..<64).map { _ in String(Int.random(in: 0...9)) }.joined(),
            scope: .submit, quota: quota, createdAt: Date(timeIntervalSince1970: 1_000), expiresAt: expiresAt)
    }

    @Test func keysAreKeptAsGiven() async throws {
        let test = try TestStore()
        let keys = [
            Self.key("a"),
            Self.key(
                "b", quota: KeyQuota(storedBytes: 1, queuedJobs: 0, uploadBytesPerHour: 3, jobSlots: 4),
                expiresAt: Date(timeIntervalSince1970: 2_000)),
        ]
        for key in keys { try await test.store.insertKey(key) }
        #expect(try await test.store.keys() == keys)
        let revoked = try await test.store.revokeKey(keys[0].id)
        #expect(revoked.revokedAt != nil)
        #expect(!revoked.isUsable())
        #expect(try await test.store.keys().map { $0.revokedAt != nil } == [true, false])
        #expect(await problemCode { try await test.store.revokeKey(keys[0].id) } == "key-revoked")
        #expect(await problemCode { try await test.store.revokeKey("key_none") } == "key-not-found")
    }

    @Test func takenBytesAreThoseOfTheOwnersUploadsAlsoUnfinishedOnes() async throws {
        let test = try TestStore()
        let key = Self.key()
        try await test.store.insertKey(key)
        _ = try await test.store.insertModel(name: "m", blob: TestStore.blob(1), owner: key.id)
        _ = try await test.store.insertDataset(name: "d", blob: TestStore.blob(2), owner: key.id)
        _ = try await test.store.insertDataset(name: "d", blob: TestStore.blob(3))
        func request(_ owner: String?) -> UploadRequest {
            UploadRequest(
                owner: owner, kind: .model, name: "u", length: 1_000,
                expiresAt: Date(timeIntervalSinceNow: 60))
        }
        let upload = try await test.store.insertUpload(request(key.id))
        _ = try await test.store.insertUpload(request(nil))
        let stored = TestStore.blob(1).size + TestStore.blob(2).size
        func taken(_ owner: String) async throws -> Int {
            try await test.store.withTakenBytes(of: owner) { $0 }
        }
        #expect(try await taken(key.id) == stored + 1_000)
        #expect(try await taken("key_other") == 0)
        let seen = await problemCode {
            _ = try await test.store.insertUpload(request(key.id)) { taken in
                throw Problem(.conflict, code: "\(taken)", title: "t", detail: "d")
            }
        }
        #expect(seen == "\(stored + 1_000)")
        #expect(try await test.store.uploads(in: [.receiving]).count == 2)
        try await test.store.deleteUpload(upload.id)
        #expect(try await taken(key.id) == stored)
        await #expect(throws: DatabaseError.self) {
            try await test.store.insertModel(name: "m", blob: TestStore.blob(1), owner: "key_other")
        }
    }

    @Test(arguments: [
        "DELETE FROM keys", "UPDATE keys SET scope = 'admin'", "UPDATE keys SET id = 'key_x'",
        "UPDATE keys SET secret_sha256 = lower(hex(zeroblob(32)))", "UPDATE keys SET stored_bytes = -1",
        "UPDATE audit SET remote = 'nobody'", "DELETE FROM audit", "DELETE FROM audit WHERE id > 0",
        "INSERT INTO audit (at, remote, action, status) VALUES (0, 'x', 'y', 42)",
    ])
    func keysAndTheAuditLogCannotBeRewritten(sql: String) async throws {
        let test = try TestStore()
        try await test.store.insertKey(Self.key())
        try await test.store.appendAudit(AuditEntry(remote: "local", action: "test"))
        #expect(throws: DatabaseError.self) { try test.execute(sql) }
    }

    @Test func aRevocationStays() async throws {
        let test = try TestStore()
        let key = Self.key()
        try await test.store.insertKey(key)
        try await test.store.revokeKey(key.id)
        #expect(throws: DatabaseError.self) { try test.execute("UPDATE keys SET revoked_at = NULL") }
    }

    @Test func aDatabaseFromBeforeKeysKeepsItsIdempotencyKeys() throws {
        let queue = try DatabaseQueue()
        try DatabaseMigrator([Self.migrations[0]]).apply(to: queue)
        try queue.write { database in
            try database.execute(sql: "PRAGMA defer_foreign_keys = ON")
            try database.execute(
                sql: """
                    INSERT INTO models (id, name, sha256, size, state, created_at) VALUES
                        ('mdl_00000000000000000000000001', 'm', '\(String(repeating: "a", count: 64))', 1, 'importing', 0);
                    INSERT INTO datasets (id, name, sha256, size, state, created_at) VALUES
                        ('dst_00000000000000000000000001', 'd', '\(String(repeating: "b", count: 64))', 1, 'importing', 0);
                    INSERT INTO jobs (id, type, request, model_sha256, model_ref, dataset_ref, state, created_at)
                    VALUES ('job_00000000000000000000000001', 'scan', '{}', '\(String(repeating: "a", count: 64))',
                        'mdl_00000000000000000000000001', 'dst_00000000000000000000000001', 'queued', 0);
                    INSERT INTO idempotency VALUES ('k', 'hash', 1, 0);
                    """)
        }
        try DatabaseMigrator(Self.migrations).apply(to: queue)
        let row = try queue.read { try Row.fetchOne($0, sql: "SELECT * FROM idempotency") }
        #expect(row?["owner"] == "")
        #expect(row?["key"] == "k")
        #expect(row?["job"] == 1)
    }

    private static let migrations = Migrations.all
}
