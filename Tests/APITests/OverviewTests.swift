import Foundation
import HTTPServer
import Testing

@Suite struct OverviewTests {
    @Test func theSystemIsShownAndKeysOnlyToAdministrators() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let id: String = try #require(
                try await service.submit("purify", model: model, dataset: dataset).value("id"))
            while try await service.store.runningJobs().isEmpty {
                try await Task.sleep(for: .milliseconds(20))
            }
            let open = try await service.send(.get, "/v1/system")
            let workers: [[String: Any]] = try #require(try open.value("workers"))
            #expect(workers.first?["job"] as? String == id)
            #expect(try open.value("queue", "jobs", "running") == 1)
            let devices: [[String: Any]] = try #require(try open.value("devices"))
            #expect(devices.first?["processors"] as? Int ?? 0 > 0)
            #expect(try open.value("webhook_hosts", as: [String].self) == [])
            #expect(try open.value("disk", "total_bytes", as: Int.self) ?? 0 > 0)

            let admin = try await service.desk.create(.init(name: "boss", scope: .admin))
            let reader = try await service.desk.create(.init(name: "guest", scope: .read))
            _ = try await service.desk.revoke(reader.key.id)
            let other = try await service.desk.create(.init(name: "guest", scope: .read))
            func get(_ path: String, _ token: String) async throws -> Harness.Answer {
                try await service.send(.get, path, headers: [.authorization: "Bearer \(token)"])
            }
            #expect(try await get("/v1/system", admin.token).value("keys", "usable") == 2)
            #expect(try await get("/v1/system", other.token).json["keys"] == nil)
            #expect(try await get("/v1/keys", other.token).status == 403)
            let keys = try await get("/v1/keys", admin.token)
            let items: [[String: Any]] = try #require(try keys.value("items"))
            #expect(items.map { $0["state"] as? String } == ["usable", "revoked", "usable"])
            #expect(!keys.text.contains(admin.key.secretSHA256))
            #expect(try await get("/v1/system?x=1", other.token).status == 400)
        }
    }

    @Test func inputsTellWhatTheyWereUsedFor() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let request = try await service.store.job(id).request
            let model = try await service.send(.get, "/v1/models/\(request.model)")
            let jobs: [[String: Any]] = try #require(try model.value("jobs"))
            #expect(jobs.map { $0["id"] as? String } == [id])
            #expect(jobs.first?["verdict"] as? String == "backdoored")
            let purified: [[String: Any]] = try #require(try model.value("purified"))
            #expect(purified.map { $0["job"] as? String } == [id])
            let dataset = try await service.send(.get, "/v1/datasets/\(request.dataset)")
            let used: [[String: Any]] = try #require(try dataset.value("jobs"))
            #expect(used.count == 1)
            let listed: [[String: Any]] = try #require(
                try await service.send(.get, "/v1/models").value("items"))
            #expect(listed.first?["jobs"] == nil)
        }
    }
}
