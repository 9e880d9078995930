import Foundation
import HTTPServer
import JobStore
import Support
import Testing

@testable import API

@Suite struct QuotaTests {
    private func headers(_ service: Harness, _ quota: KeyQuota = KeyQuota()) async throws -> HTTPFields {
        let token = try await service.desk.create(.init(name: "q", scope: .submit, quota: quota)).token
        return [.authorization: "Bearer \(token)", .prefer: "wait=30"]
    }

    /// A data set that is imported at once, of so many bytes.
    private static func script(_ count: Int) -> Data {
        let commands = Data(Script.dataset.utf8)
        return commands + Data(repeating: UInt8(ascii: "\n"), count: count - commands.count)
    }

    @Test func aKeyStoresNoMoreThanItsShare() async throws {
        try await withHarness(quotas: .init(storedBytes: 100)) { service in
            let mine = try await headers(service)
            func upload(_ count: Int, _ headers: HTTPFields) async throws -> Harness.Answer {
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
        let ledger = UploadQuotas()
        func fits(_ bytes: Int, _ key: String, taken: Int, maximum: Int = 100) -> Bool {
            (try? ledger.reserve(bytes, for: key, taken: taken, maximum: maximum)) != nil
        }
        var first = try? ledger.reserve(60, for: "a", taken: 0, maximum: 100)
        #expect(first != nil)
        #expect(!fits(41, "a", taken: 0))
        #expect(fits(41, "b", taken: 0))
        #expect(!fits(30, "a", taken: 20))
        #expect(!fits(.max, "a", taken: 20, maximum: .max))
        #expect(!fits(1, "a", taken: .max, maximum: .max))
        #expect(throws: Problem.self) { try ledger.requireRoom(for: 41, of: "a", taken: 0, maximum: 100) }
        #expect(throws: Never.self) { try ledger.requireRoom(for: 40, of: "a", taken: 0, maximum: 100) }
        first = nil
        #expect(fits(80, "a", taken: 20))
    }

    /// In one piece and resumable ones, begun, continued, finished and deleted, all at the same time.
    @Test func manyUploadsAtOnceNeverExceedTheShare() async throws {
        let share = 1000
        try await withHarness(
            limits: .init(unfinishedUploads: 100), quotas: .init(storedBytes: share)
        ) { service in
            let (key, token) = try await service.desk.create(.init(name: "q", scope: .submit))
            let mine: HTTPFields = [.authorization: "Bearer \(token)"]
            let answers = try await withThrowingTaskGroup(of: (status: Int, taken: Int).self) { group in
                for number in 0..<60 {
                    group.addTask { @Sendable [service, mine, key] in
                        let status =
                            number.isMultiple(of: 2)
                            ? try await service.send(
                                .post, "/v1/datasets", body: Self.script(90), headers: mine
                            ).status
                            : try await Self.resumable(service, mine, length: 90, pieces: number % 4 / 2 + 1)
                        return (status, try await service.store.withTakenBytes(of: key.id) { $0 })
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.status)) == [201, 507])
            #expect(answers.filter { $0.status == 507 }.count >= 60 - share / 90)
            let most = try #require(answers.map(\.taken).max())
            #expect((share / 2...share).contains(most))
        }
    }

    /// Begins an upload and sends the half or all of it.
    private static func resumable(
        _ service: Harness, _ headers: HTTPFields, length: Int, pieces: Int
    ) async throws -> Int {
        var headers = headers
        headers[.tusResumable] = "1.0.0"
        headers[.uploadLength] = "\(length)"
        let begun = try await service.send(.post, "/v1/uploads?kind=dataset", headers: headers)
        guard let id = try begun.value("id", as: String.self) else { return begun.status }
        headers[.contentType] = "application/offset+octet-stream"
        for piece in 0..<pieces {
            headers[.uploadOffset] = "\(piece * length / 2)"
            let body = script(length)[piece * length / 2..<(piece + 1) * length / 2]
            let answer = try await service.send(
                .patch, "/v1/uploads/\(id)", body: Data(body), headers: headers)
            if answer.status != 204 { return answer.status }
        }
        return begun.status
    }

    @Test func theUploadRateIsABucketOfAnHour() {
        let ledger = UploadQuotas()
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
            let seconds = try #require(second.headers[.retryAfter].flatMap(Int.init))
            #expect((1700...1900).contains(seconds))
        }
    }

    @Test func aJobAsksForNoMoreSlotsThanItsKeyMayUse() async throws {
        try await withHarness(quotas: .init(jobSlots: 3)) { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            func submit(_ slots: Int, _ headers: HTTPFields) async throws -> Harness.Answer {
                try await service.submit(
                    "scan", model: model, dataset: dataset, more: #", "options": {"slots": \#(slots)}"#,
                    headers: headers)
            }
            let (usual, own) = try await (headers(service), headers(service, KeyQuota(jobSlots: 2)))
            for (most, key) in [(3, usual), (2, own)] {
                let accepted = try await submit(most, key)
                #expect(accepted.status == 202)
                #expect((try accepted.value("options", as: [String: Any].self))?["slots"] as? Int == most)
                let refused = try await submit(most + 1, key)
                #expect(refused.status == 422)
                #expect(try refused.value("code") == "slots-beyond-quota")
            }
        }
    }

    @Test func aKeyQueuesNoMoreJobsThanItsShareAndHasItsOwnIdempotencyKeys() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let mine = try await headers(service, KeyQuota(queuedJobs: 1))
            let other = try await headers(service)
            func submit(_ headers: HTTPFields, key: String? = nil) async throws -> Harness.Answer {
                var headers = headers
                headers[.idempotencyKey] = key
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
