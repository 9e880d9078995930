import Findings
import Foundation
import GRDB
import Support

/// Where a job's end is to be told.
public struct Webhook: Codable, Hashable, Sendable {
    public var url: String
    /// The path below which the client that asked for it reaches the service.
    public var base: String

    public init(url: String, base: String) {
        self.url = url
        self.base = base
    }
}

/// What became of telling it.
public struct DeliveryRecord: Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable, CaseIterable {
        case pending, delivered, abandoned
    }

    public var id: String
    public var state: State
    public var tries: Int
    /// Of the last try's answer.
    public var status: Int?
    /// Why the last try got none, or none that counts.
    public var failure: String?
    public var createdAt: Date
    /// Set exactly while pending.
    public var nextAt: Date?
    public var endedAt: Date?
}

/// A delivery whose time has come.
public struct WebhookDue: Hashable, Sendable {
    public var id: String
    public var job: String
    public var url: String
    public var body: String
    public var tries: Int
}

private struct DeliveryRow: NewRow {
    static let databaseTableName = "deliveries"
    let id: String
    let job: Int64
    let url: String
    let body: String
    let state: DeliveryRecord.State
    let tries: Int
    let nextAt: Double
    let createdAt: Double
}

extension JobStore {
    /// What a receiver gets: Standard Webhooks' envelope, and nothing of a job but where it stands.
    private struct Message: Encodable {
        struct Job: Encodable {
            var id: String
            var state: JobState
            var verdict: String?
            var links: [String: String]
        }

        var type = "job.finished"
        var timestamp: String
        var data: Job
    }

    /// Writes down, in the transaction that ends a job, what has to be told.
    static func announceEnd(of seq: Int64, _ state: JobState, now: Double, _ database: Database) throws {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT id, json_extract(request, '$.webhook.url') AS url,
                    json_extract(request, '$.webhook.base') AS base, json_extract(verdict, '$.result') AS result
                FROM jobs WHERE seq = ?
                """, arguments: [seq])
        guard let row, let url: String = row["url"] else { return }
        let path = "\(row["base"] as String? ?? "")/v1/jobs/\(row["id"] as String)"
        let time = Date(timeIntervalSince1970: now)
        let message = Message(
            timestamp: time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
            data: .init(
                id: row["id"], state: state, verdict: state == .succeeded ? row["result"] : nil,
                links: state == .succeeded ? ["self": path, "report": path + "/report"] : ["self": path]))
        try DeliveryRow(
            id: Identifier.make(.event), job: seq, url: url, body: try Columns.json(message), state: .pending,
            tries: 0, nextAt: now, createdAt: now
        ).insert(database)
    }

    /// The oldest first.
    public func dueDeliveries(limit: Int) async throws -> [WebhookDue] {
        try await read { [self] database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT deliveries.*, jobs.id AS job_id FROM deliveries JOIN jobs ON jobs.seq = job
                    WHERE deliveries.state = 'pending' AND next_at <= ? ORDER BY next_at LIMIT ?
                    """, arguments: [now, limit]
            ).map {
                WebhookDue(
                    id: $0["id"], job: $0["job_id"], url: $0["url"], body: $0["body"], tries: $0["tries"])
            }
        }
    }

    public func deliver(_ delivery: WebhookDue, status: Int) async throws {
        try await end(delivery, .delivered, status: status, failure: nil)
    }

    public func abandon(_ delivery: WebhookDue, status: Int?, failure: String?) async throws {
        try await end(delivery, .abandoned, status: status, failure: failure)
    }

    private func end(
        _ delivery: WebhookDue, _ state: DeliveryRecord.State, status: Int?, failure: String?
    ) async throws {
        try await write { [self] database in
            try database.execute(
                sql: """
                    UPDATE deliveries SET state = :state, tries = tries + 1, next_at = NULL, status = :status,
                        failure = :failure, ended_at = :now WHERE id = :id AND state = 'pending'
                    """,
                arguments: [
                    "state": state.rawValue, "status": status, "failure": failure, "now": now,
                    "id": delivery.id,
                ])
        }
        hub.signal(delivery.job)
    }

    public func postpone(_ delivery: WebhookDue, seconds: Double, status: Int?, failure: String?) async throws
    {
        try await write { [self] database in
            try database.execute(
                sql: """
                    UPDATE deliveries SET tries = tries + 1, next_at = :next, status = :status, failure = :failure
                    WHERE id = :id AND state = 'pending'
                    """,
                arguments: [
                    "next": now + seconds, "status": status, "failure": failure, "id": delivery.id,
                ])
        }
        hub.signal(delivery.job)
    }

    /// The last one of a job.
    static func delivery(of seq: Int64, _ database: Database) throws -> DeliveryRecord? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM deliveries WHERE job = ? ORDER BY seq DESC LIMIT 1",
            arguments: [seq]
        ).map {
            DeliveryRecord(
                id: $0["id"], state: try $0.enumCase("state"), tries: $0["tries"], status: $0["status"],
                failure: $0["failure"], createdAt: try $0.requiredDate("created_at"),
                nextAt: $0.date("next_at"),
                endedAt: $0.date("ended_at"))
        }
    }
}
