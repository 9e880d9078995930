import Foundation
import GRDB

/// One entry of the audit log. Entries are only ever added.
public struct AuditEntry: Encodable, Hashable, Sendable {
    /// Rises with every entry; 0 before it is stored.
    public var id: Int64
    public var at: Date
    /// A key's id; nil without a valid key.
    public var key: String?
    /// The client's address, or `local` for a command on the machine itself.
    public var remote: String
    /// Such as `POST /v1/jobs` or `keys.create`.
    public var action: String
    /// What it was done to: a path or an id.
    public var target: String?
    /// The HTTP status; nil for what is no request.
    public var status: Int?
    public var requestID: String?
    public var detail: String?

    /// Without the id, which the database gives.
    enum CodingKeys: CodingKey { case at, key, remote, action, target, status, requestID, detail }

    public init(
        id: Int64 = 0, at: Date = Date(), key: String? = nil, remote: String, action: String,
        target: String? = nil, status: Int? = nil, requestID: String? = nil, detail: String? = nil
    ) {
        self.id = id
        self.at = at
        self.key = key
        self.remote = remote
        self.action = action
        self.target = target
        self.status = status
        self.requestID = requestID
        self.detail = detail
    }
}

extension JobStore {
    /// Durable when it returns.
    public func appendAudit(_ entry: AuditEntry) async throws {
        try await pool.write { try RowOf(content: entry).insert($0) }
    }

    /// Newest first. `cursor` is a `nextCursor` of this listing; another throws `Problem` `invalid-cursor`.
    public func audit(key: String? = nil, limit: Int, cursor: String? = nil) async throws -> Page<AuditEntry>
    {
        let query = "audit|\(key ?? "")"
        let before = try cursor.map { try Cursor($0, of: query).row } ?? .max
        let limit = Self.clamp(limit)
        return try await pool.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM audit WHERE id < :before \(key == nil ? "" : "AND key = :key")
                    ORDER BY id DESC LIMIT :limit
                    """,
                arguments: Self.arguments([("before", before), ("limit", limit + 1), ("key", key)]))
            let next = rows.count > limit ? Cursor(query: query, row: rows[limit - 1]["id"]).text : nil
            return Page(items: try rows.prefix(limit).map { try AuditEntry($0) }, nextCursor: next)
        }
    }
}

extension AuditEntry {
    init(_ row: Row) throws {
        self.init(
            id: row["id"], at: try row.requiredDate("at"), key: row["key"], remote: row["remote"],
            action: row["action"], target: row["target"], status: row["status"],
            requestID: row["request_id"], detail: row["detail"])
    }
}
