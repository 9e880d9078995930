import Foundation
import JobStore
import Support

/// Makes, lists and revokes keys: in the store, in the ring, and with an entry in the audit log.
public struct KeyAdministration: Sendable {
    /// What is asked for a new key.
    public struct Order: Codable, Sendable {
        public var name: String
        public var scope: KeyScope
        public var quota: KeyQuota
        public var expiresAt: Date?

        public init(name: String, scope: KeyScope, quota: KeyQuota = KeyQuota(), expiresAt: Date? = nil) {
            self.name = name
            self.scope = scope
            self.quota = quota
            self.expiresAt = expiresAt
        }
    }

    private let store: JobStore
    private let ring: KeyRing
    private let audit: AuditLog

    public init(store: JobStore, ring: KeyRing, audit: AuditLog) {
        self.store = store
        self.ring = ring
        self.audit = audit
    }

    /// - Returns: the key, and its token, which nothing can show again.
    /// - Throws: `Problem` `key-name-invalid`, `key-expired`.
    public func create(_ order: Order) async throws -> (key: KeyRecord, token: String) {
        guard (1...255).contains(order.name.unicodeScalars.count), order.name.isPlain else {
            throw Problem(
                .malformed, code: "key-name-invalid", title: "The key's name is not usable",
                detail: "A name has 1 to 255 characters, none of them a control or invisible character.",
                location: "name",
                fix: "Use letters, digits, spaces and punctuation.")
        }
        if let expiry = order.expiresAt, expiry <= Date() {
            throw Problem(
                .malformed, code: "key-expired", title: "The key would have expired already",
                detail: "It would end at \(Timestamp.text(expiry)).", location: "expires",
                fix: "Give a time that is still to come, such as --expires 90d.")
        }
        let token = APIToken(keyID: Identifier.make(.key))
        let key = KeyRecord(
            id: token.keyID, name: order.name, secretSHA256: token.secretSHA256, scope: order.scope,
            quota: order.quota, expiresAt: order.expiresAt)
        try await store.insertKey(key)
        ring.put(key)
        await audit.record(
            AuditEntry(
                remote: "local", action: "keys.create", target: key.id,
                detail: "scope \(key.scope.rawValue), name \(key.name)"))
        return (key, token.text)
    }

    public func list() async throws -> [KeyRecord] { try await store.keys() }

    /// - Throws: `Problem` `key-not-found`, `key-revoked`.
    public func revoke(_ id: String) async throws -> KeyRecord {
        let key = try await store.revokeKey(id)
        ring.put(key)
        await audit.record(AuditEntry(remote: "local", action: "keys.revoke", target: id))
        return key
    }
}
