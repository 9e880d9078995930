import Foundation
import HTTPServer
import JobStore
import Testing

@testable import API

@Suite struct QuotaTests {
    private func headers(_ service: Harness, _ quota: KeyQuota = KeyQuota()) async throws -> HTTPHeaders {
        let token = try await service.desk.create(.init(name: "q", scope: .submit, quota: quota)).token
        return ["Authorization": "Bearer \(token)", "Prefer": "wait=30"]
    }

    /// A data set that is imported at once, of so many bytes.
    private static func script(_ count: Int) -> Data {
        let commands = Data(Script.dataset.utf8)
        return commands + Data(repeating: UInt8(ascii: "\n"), count: count - commands.count)
    }

    @Test func aKeyStoresNoMoreThanItsShare() async throws {
        try await withHarness(quotas: .init(storedBytes: 100)) { service in
            let mine = try await headers(service)
            func upload(_ count: Int, _ headers: HTTPHeaders) async throws -> Harness.Answer {
                try await service.send(
                    .post, "/v1/datasets", body: Self.script(count),
                    headers: headers)
            }
            let first = try await upload(60, mine)
            #expect(first.status == 201)
            let second = try await upload(41, mine)
            #expect(second.status == 507)
            #expect(try second.value("code") == "key-storage-full")
            #expect(try await upload(40, mine).status == 201)
            // Another key has a share of its own; this one has a larger one.
            let larger = try await headers(service, KeyQuota(storedBytes: 1000))
            #expect(try await upload(500, larger).status == 201)
            #expect(try await upload(101, try await headers(service)).status == 507)
            let id = try #require(try first.value("id", as: String.self))
            #expect(try await service.send(.delete, "/v1/datasets/\(id)", headers: mine).status == 204)
            #expect(try await upload(60, mine).status == 201)
        }
    }

    @Test func uploadsOnTheirWayCount() {
        let ledger = UploadLedger()
        var first = ledger.reserve(60, for: "a", stored: 0, maximum: 100)
        #expect(first != nil)
        #expect(ledger.reserve(41, for: "a", stored: 0, maximum: 100) == nil)
        #expect(ledger.reserve(41, for: "b", stored: 0, maximum: 100) != nil)
        #expect(ledger.reserve(30, for: "a", stored: 20, maximum: 100) == nil)
        #expect(ledger.reserve(.max, for: "a", stored: 20, maximum: .max) == nil)
        first = nil
        #expect(ledger.reserve(80, for: "a", stored: 20, maximum: 100) != nil)
    }

    @Test func theUploadRateIsABucketOfAnHour() {
        let ledger = UploadLedger()
        let start = Date(timeIntervalSince1970: 1_000_000)
        #expect(ledger.charge(3000, to: "a", perHour: 3600, at: start) == nil)
        // A file larger than what is left passes, and is paid for afterwards.
        #expect(ledger.charge(1600, to: "a", perHour: 3600, at: start) == nil)
        let wait = ledger.charge(1, to: "a", perHour: 3600, at: start + 10)
        #expect(wait == 992)
        #expect(ledger.charge(1, to: "a", perHour: 3600, at: start + 1002) == nil)
        #expect(ledger.charge(1, to: "b", perHour: 3600, at: start) == nil)
        #expect(ledger.charge(1, to: "c", perHour: 0, at: start) != nil)
        // A clock that is set back gives nothing away.
        #expect(ledger.charge(1, to: "a", perHour: 3600, at: start - 5000) == nil)
        #expect(ledger.charge(1, to: "a", perHour: 3600, at: start - 4999) == nil)
    }

    @Test func tooManyBytesAnHourAreAnswered429() async throws {
        try await withHarness(quotas: .init(uploadBytesPerHour: 100)) { service in
            let mine = try await headers(service)
            func upload() async throws -> Harness.Answer {
                try await service.send(.post, "/v1/datasets", body: Self.script(150), headers: mine)
            }
            #expect(try await upload().status == 201)
            let second = try await upload()
            #expect(second.status == 429)
            let seconds = try #require(second.headers["Retry-After"].flatMap(Int.init))
            #expect((1700...1900).contains(seconds))
        }
    }

    @Test func aKeyQueuesNoMoreJobsThanItsShareAndHasItsOwnIdempotencyKeys() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let mine = try await headers(service, KeyQuota(queuedJobs: 1))
            let other = try await headers(service)
            func submit(_ headers: HTTPHeaders, key: String? = nil) async throws -> Harness.Answer {
                var headers = headers
                headers["Idempotency-Key"] = key
                return try await service.submit("scan", model: model, dataset: dataset, headers: headers)
            }
            // The first one occupies the only slot, so that the others wait.
            let running = try await submit(other)
            let id = try #require(try running.value("id", as: String.self))
            while try await service.store.job(id).state != .running { await Task.yield() }
            let first = try await submit(mine, key: "k")
            #expect(first.status == 202)
            let replay = try await submit(mine, key: "k")
            #expect(replay.status == 202)
            #expect(try replay.value("id", as: String.self) == first.value("id"))
            let second = try await submit(mine)
            #expect(second.status == 429)
            #expect(try second.value("code") == "key-queue-full")
            let others = try await submit(other, key: "k")
            #expect(others.status == 202)
            #expect(try others.value("id", as: String.self) != first.value("id"))
        }
    }
}
