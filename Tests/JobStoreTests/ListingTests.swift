import Findings
import Foundation
import GRDB
import Support
import Testing
import WorkerProtocol

@testable import JobStore

@Suite struct ListingTests {
    /// All items, page by page; `between` runs after each page.
    static func pages<Item: Sendable>(
        _ read: (String?) async throws -> Page<Item>, between: () async throws -> Void = {}
    ) async throws -> [Item] {
        var items: [Item] = []
        var cursor: String?
        repeat {
            let page = try await read(cursor)
            items += page.items
            cursor = page.nextCursor
            try await between()
        } while cursor != nil
        return items
    }

    /// Findings with many equal keys.
    static func samples(_ count: Int, seed: UInt64) -> [SampleFinding] {
        var state = seed
        func next(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % Int(bound)
        }
        return (0..<count).map {
            var sample = TestStore.sample(
                $0, score: Double(next(7)) / 7, label: next(3), flagged: next(4) == 0)
            if next(5) == 0 { (sample.boundaryDistance, sample.adversarialLabel) = (nil, nil) }
            return sample
        }
    }

    @Test(arguments: SampleQuery.Key.allCases, [false, true])
    func samplePagesAreTheWholeInOrder(key: SampleQuery.Key, descending: Bool) async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        let all = Self.samples(500, seed: 7)
        try test.store.record(all.shuffled(), by: attempt)
        for (flagged, label) in [(nil, nil), (true, nil), (false, 1), (nil, 2), (true, 0)] as [(Bool?, Int?)]
        {
            let query = SampleQuery(flagged: flagged, givenLabel: label, key: key, descending: descending)
            let keyed: (SampleFinding) -> Double = {
                switch key {
                case .index: Double($0.index)
                case .score: $0.score
                case .coherence: $0.coherence
                // Those without one come last.
                case .boundaryDistance: $0.boundaryDistance ?? (descending ? -1 : .infinity)
                case .givenLabel: Double($0.givenLabel)
                }
            }
            let expected = all.filter {
                (flagged == nil || $0.flagged == flagged) && (label == nil || $0.givenLabel == label)
            }.sorted {
                let (a, b) = ((keyed($0), $0.index), (keyed($1), $1.index))
                return descending ? a > b : a < b
            }
            for limit in [1, 7, 100, 1_000] where limit > 1 || expected.count < 100 {
                let found = try await Self.pages { cursor in
                    try await test.store.samples(of: attempt.job, query, limit: limit, cursor: cursor)
                }
                #expect(found.map(\.finding) == expected)
            }
            var streamed: [SampleFinding] = []
            for try await page in test.store.samplePages(of: attempt.job, query, pageSize: 33) {
                streamed += page.map(\.finding)
            }
            #expect(streamed == expected)
        }
    }

    @Test func pagingIsUnmovedByConcurrentInserts() async throws {
        let test = try TestStore()
        let template = try await test.job().request
        var before: [String] = []
        for _ in 0..<40 { before.insert(try await test.store.submit(template).job.id, at: 0) }
        let listed = try await Self.pages { cursor in
            try await test.store.jobs(limit: 7, cursor: cursor)
        } between: {
            for _ in 0..<3 { _ = try await test.store.submit(template) }
        }.map(\.id)
        #expect(Array(listed.prefix(40)) == before)
        #expect(Set(listed).count == listed.count)
    }

    @Test func samplesInsertedMeanwhileAreNeverGivenTwice() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.record((0..<200).map { TestStore.sample($0, score: 0.5) }, by: attempt)
        let added = Counter(200)
        let found = try await Self.pages { cursor in
            try await test.store.samples(
                of: attempt.job, SampleQuery(key: .score), limit: 13, cursor: cursor)
        } between: {
            let next = added.next()
            guard next < 230 else { return }
            try test.store.record([TestStore.sample(next, score: next % 2 == 0 ? 0.9 : 0.1)], by: attempt)
        }.map(\.finding.index)
        #expect(Set(found).count == found.count)
        #expect(Set(found).isSuperset(of: 0..<200))
    }

    @Test func filtersOfJobs() async throws {
        let test = try TestStore()
        let scan = try await test.job(.scan)
        let purify = try await test.job(.purify)
        _ = try await test.store.cancel(scan.id)
        #expect(try await test.store.jobs(state: .queued, limit: 10).items.map(\.id) == [purify.id])
        #expect(try await test.store.jobs(type: .scan, limit: 10).items.map(\.id) == [scan.id])
        #expect(try await test.store.jobs(state: .queued, type: .scan, limit: 10).items.isEmpty)
        #expect(try await test.store.models(limit: 1, cursor: nil).nextCursor != nil)
        let ids = try await Self.pages { try await test.store.datasets(limit: 1, cursor: $0) }.map(\.id)
        #expect(ids == [purify.request.dataset, scan.request.dataset])
    }

    @Test func foreignCursorsAreRefused() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.record(Self.samples(10, seed: 1), by: attempt)
        let page = try await test.store.samples(of: attempt.job, SampleQuery(key: .score), limit: 3)
        let cursor = try #require(page.nextCursor)
        #expect(cursor.utf8.allSatisfy { $0 != 0x2b && $0 != 0x2f && $0 != 0x3d })
        let cursors = [
            cursor, "", "x", "%", "AAAA", String(repeating: "A", count: 2_000), "☃",
            String(cursor.dropLast(4)),
        ]
        for cursor in cursors {
            let code = await problemCode {
                _ = try await test.store.samples(
                    of: attempt.job, SampleQuery(key: .score, descending: true), limit: 3, cursor: cursor)
            }
            #expect(code == "invalid-cursor", "\(cursor)")
            #expect(
                await problemCode { _ = try await test.store.jobs(limit: 3, cursor: cursor) }
                    == "invalid-cursor")
        }
    }

    @Test func samplesBeforeTheAnalysisAreNotReady() async throws {
        let test = try TestStore()
        let job = try await test.job()
        let early = await problemCode {
            _ = try await test.store.samples(of: job.id, SampleQuery(), limit: 3)
        }
        #expect(early == "samples-not-ready")
        let missing = await problemCode {
            for try await _ in test.store.samplePages(of: "job_x", SampleQuery()) {}
        }
        #expect(missing == "job-not-found")
    }

    @Test func idsAreUniqueValidAndInOrder() {
        let start = Date(timeIntervalSince1970: 1_700_000_000)
        let ids = (0..<5_000).map { Identifier.make(.job, at: start + Double($0 % 3) / 1_000) }
        #expect(Set(ids).count == ids.count && ids == ids.sorted())
        #expect(ids.allSatisfy { Identifier.isValid($0, .job) && !Identifier.isValid($0, .model) })
        for text in [
            "", "job_", "job_" + String(repeating: "u", count: 26), ids[0] + "0", ids[0].uppercased(),
        ] {
            #expect(!Identifier.isValid(text, .job))
        }
    }

    // MARK: Events

    @Test func anEventStreamMissesNothing() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        let store = test.store
        async let live = Self.collect(store.eventStream(of: attempt.job))
        for step in 1...300 {
            try store.record(WorkerProgress(phase: .detection, fraction: Double(step) / 300), by: attempt)
        }
        try store.record(TestStore.verdict, by: attempt)
        try store.finish(attempt, .succeeded)
        let seen = try await live
        #expect(seen.count == 304)
        #expect(seen.last?.data == #"{"attempt":1,"state":"succeeded"}"#)
        #expect(seen.map(\.id) == Array(Set(seen.map(\.id))).sorted())
        // A reader that comes back goes on after its last id.
        #expect(
            try await Self.collect(store.eventStream(of: attempt.job, after: seen[99].id))
                == Array(seen[100...]))
        #expect(store.hub.waiterCount == 0)
    }

    @Test func aStreamThatIsGivenUpLeavesNoWaiter() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        let store = test.store
        let reader = Task { try await Self.collect(store.eventStream(of: attempt.job)) }
        while store.hub.waiterCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
        reader.cancel()
        _ = try? await reader.value
        #expect(store.hub.waiterCount == 0)
    }

    static func collect(_ events: JobEvents) async throws -> [JobEvent] {
        var list: [JobEvent] = []
        for try await event in events { list.append(event) }
        return list
    }
}

final class Counter: Sendable {
    private let value: Mutex<Int>
    init(_ start: Int) { value = Mutex(start) }
    func next() -> Int {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}
