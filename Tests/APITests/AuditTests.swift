import Foundation
import HTTPServer
import JobStore
import SchemaChecking
import Testing
import WebAssets

@testable import API

@Suite struct AuditTests {
    @Test func whoDidWhatIsRecordedAndOnlyAnAdministratorReadsIt() async throws {
        try await withHarness { service in
            let (key, token) = try await service.desk.create(.init(name: "ops", scope: .admin))
            let admin: HTTPFields = [.authorization: "Bearer \(token)"]
            let upload = try await service.send(
                .post, "/v1/datasets", body: Data(count: 10), headers: admin)
            _ = try await service.send(.get, "/v1/jobs", headers: admin)
            _ = try await service.send(.get, "/v1/jobs")
            let answer = try await service.send(.get, "/v1/audit", headers: admin)
            #expect(answer.status == 200)
            let items = try #require(try answer.value("items", as: [[String: Any]].self))
            // Newest first; the listing of jobs changes nothing and is not there.
            #expect(
                items.map { $0["action"] as? String } == ["GET /v1/jobs", "POST /v1/datasets", "keys.create"])
            #expect(items[0]["status"] as? Int == 401)
            #expect(items[0]["key"] is NSNull)
            #expect(items[1]["key"] as? String == key.id)
            #expect(items[1]["status"] as? Int == 201)
            #expect(items[1]["target"] as? String == upload.headers[.location])
            #expect(items[1]["remote"] as? String == "127.0.0.1")
            #expect((items[1]["request_id"] as? String)?.count == 32)
            #expect(items[2]["target"] as? String == key.id)
            #expect(items[2]["remote"] as? String == "local")

            let mine = try await service.send(.get, "/v1/audit?limit=1&key=\(key.id)", headers: admin)
            #expect(try mine.value("items", as: [[String: Any]].self)?.count == 1)
            let cursor = try #require(try mine.value("next_cursor", as: String.self))
            let rest = try await service.send(
                .get, "/v1/audit?key=\(key.id)&cursor=\(cursor)", headers: admin)
            #expect(
                try rest.value("items", as: [[String: Any]].self)?.last?["action"] as? String
                    == "POST /v1/datasets")
            let document = try #require(
                try JSONSerialization.jsonObject(with: OpenAPI.document) as? [String: Any])
            let page = try JSONSerialization.jsonObject(with: answer.body)
            #expect(
                SchemaChecker(document: document).faults(
                    page, ["$ref": "#/components/schemas/AuditEntryPage"], at: "audit") == [])
        }
    }

    @Test func aFloodOfRefusalsIsCounted() async throws {
        try await withHarness { service in
            _ = try await service.desk.create(.init(name: "a", scope: .read))
            for _ in 0..<500 { #expect(try await service.send(.get, "/v1/jobs").status == 401) }
            let entries = try await service.store.audit(limit: 1000).items
            // One for the key, 60 at once, and one for each second that the loop took.
            #expect((61..<300).contains(entries.count), "\(entries.count)")
        }
    }
}
