import Foundation
import HTTPServer
import JobStore

/// An entry of the audit log as the API shows it.
struct AuditResource: Encodable {
    var entry: AuditEntry

    private enum CodingKeys: String, CodingKey {
        case id, time, key, remote, action, target, status, detail
        case requestID = "request_id"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entry.id, forKey: .id)
        try container.encode(Timestamp.text(entry.at), forKey: .time)
        try container.encode(entry.key, forKey: .key)
        try container.encode(entry.remote, forKey: .remote)
        try container.encode(entry.action, forKey: .action)
        try container.encode(entry.target, forKey: .target)
        try container.encode(entry.status, forKey: .status)
        try container.encode(entry.requestID, forKey: .requestID)
        try container.encode(entry.detail, forKey: .detail)
    }
}

extension RESTService {
    func addAuditRoute(to router: inout Router) {
        router.on(.get, "/v1/audit", access: .admin) { request in
            let head = request.head
            try head.allowQuery("key", "limit", "cursor")
            if let key = head.queryValue("key"), !(1...64).contains(key.utf8.count) {
                throw HTTPRequestHead.invalid("key", "key is an API key's id.")
            }
            let page = try await store.audit(
                key: head.queryValue("key"), limit: head.pageLimit(), cursor: head.queryValue("cursor"))
            return try JSON.response(page.resource { AuditResource(entry: $0) })
        }
    }
}
