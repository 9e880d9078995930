import Foundation
import HTTPServer
import JobStore

/// An API key as the API shows it: never its secret.
private struct KeyResource: Encodable {
    var key: KeyRecord

    private enum CodingKeys: String, CodingKey {
        case id, name, scope, state, quota
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case revokedAt = "revoked_at"
    }

    private enum QuotaKeys: String, CodingKey {
        case storedBytes = "stored_bytes"
        case queuedJobs = "queued_jobs"
        case uploadBytesPerHour = "upload_bytes_per_hour"
        case jobSlots = "job_slots"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(key.id, forKey: .id)
        try container.encode(key.name, forKey: .name)
        try container.encode(key.scope, forKey: .scope)
        try container.encode(KeyState(key), forKey: .state)
        try container.encode(Timestamp.text(key.createdAt), forKey: .createdAt)
        try container.encode(key.expiresAt.map(Timestamp.text), forKey: .expiresAt)
        try container.encode(key.revokedAt.map(Timestamp.text), forKey: .revokedAt)
        var quota = container.nestedContainer(keyedBy: QuotaKeys.self, forKey: .quota)
        try quota.encode(key.quota.storedBytes, forKey: .storedBytes)
        try quota.encode(key.quota.queuedJobs, forKey: .queuedJobs)
        try quota.encode(key.quota.uploadBytesPerHour, forKey: .uploadBytesPerHour)
        try quota.encode(key.quota.jobSlots, forKey: .jobSlots)
    }
}

/// Whether a key lets anybody in.
enum KeyState: String, Encodable, CaseIterable {
    case usable, expired, revoked

    init(_ key: KeyRecord) {
        self = key.revokedAt != nil ? .revoked : key.isUsable() ? .usable : .expired
    }
}

extension RESTService {
    func addKeysRoute(to router: inout Router) {
        router.on(.get, "/v1/keys", access: .admin) { request in
            try request.head.allowQuery()
            let keys = try await store.keys()
            return try JSON.response(ItemsResource(items: keys.map { KeyResource(key: $0) }))
        }
    }
}
