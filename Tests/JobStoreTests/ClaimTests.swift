import Findings
import Foundation
import GRDB
import Support
import Testing

@testable import JobStore

/// Whose job is next, leases, pauses, removal.
@Suite struct ClaimTests {
    private func keys(_ test: TestStore, _ names: String...) throws {
        for name in names {
            try test.execute(
                """
                INSERT INTO keys (id, name, secret_sha256, scope, created_at)
                VALUES ('\(key(name))', '\(name)', '\(String(repeating: name, count: 64))', 'submit', 0)
                """)
        }
    }

    private func key(_ name: String) -> String { "key_" + String(repeating: name, count: 26) }

    @Test func ownersTakeTurnsAndPriorityOrdersTheirJobs() async throws {
        let test = try TestStore()
        try keys(test, "a", "b")
        let (model, dataset) = (try await test.model(), try await test.dataset())
        func submit(_ owner: String?, _ priority: Int) async throws -> String {
            let request = JobRequest(type: .scan, model: model, dataset: dataset, priority: priority)
            return try await test.store.submit(request, owner: owner.map(key)).job.id
        }
        var a: [String] = []
        for priority in [0, 10, -10, 10] { a.append(try await submit("a", priority)) }
        let b = try await submit("b", -10)
        let nobody = try await submit(nil, 0)
        var order: [String] = []
        while let attempt = try await test.store.claimJob(lease: "s") {
            order.append(attempt.job)
            try test.store.record(TestStore.verdict, by: attempt)
            try test.store.finish(attempt, .succeeded)
        }
        #expect(order == [a[1], b, nobody, a[3], a[0], a[2]])
    }

    @Test func anOwnerWithARunningJobWaitsForTheOthers() async throws {
        let test = try TestStore()
        try keys(test, "a", "b")
        let (model, dataset) = (try await test.model(), try await test.dataset())
        let request = JobRequest(type: .scan, model: model, dataset: dataset)
        let first = try await test.store.submit(request, owner: key("a")).job.id
        let second = try await test.store.submit(request, owner: key("a")).job.id
        let other = try await test.store.submit(request, owner: key("b")).job.id
        #expect(try await test.store.claimJob(lease: "s")?.job == first)
        #expect(try await test.store.claimJob(lease: "s")?.job == other)
        #expect(try await test.store.claimJob(lease: "s")?.job == second)
    }

    @Test func aLeaseThatNobodyRenewsEnds() async throws {
        let test = try TestStore()
        _ = try await test.job()
        let attempt = try #require(try await test.store.claimJob(lease: "s", leaseTime: -1))
        // Late, and still supervised: renewed.
        #expect(try await test.store.recover(lease: "s", supervised: [attempt.job]) == 0)
        #expect(try await test.store.recover(lease: "s") == 0)
        try test.execute("UPDATE jobs SET lease_until = 1")
        #expect(try await test.store.recover(lease: "s") == 1)
        #expect(try await test.store.job(attempt.job).state == .queued)
        #expect(throws: StaleAttempt.self) { try test.store.record(TestStore.verdict, by: attempt) }
        let next = try #require(try await test.store.claimJob(lease: "s"))
        #expect(next.number == 2)
        #expect(throws: StaleAttempt.self) { try test.store.finish(attempt, .succeeded) }
    }

    @Test func aPausedJobLosesNoRetryAndGoesOn() async throws {
        let test = try TestStore()
        _ = try await test.job()
        for _ in 0..<5 {
            let attempt = try #require(try await test.store.claimJob(lease: "s"))
            #expect(try test.store.finish(attempt, .paused(.diskFull, delay: 0)) == .queued)
            #expect(try await test.store.job(attempt.job).paused == .diskFull)
            #expect(try await test.store.queueStatus().paused == 1)
        }
        let attempt = try #require(try await test.store.claimJob(lease: "s"))
        #expect(try await test.store.job(attempt.job).paused == nil)
        let problem = Problem(.internal, code: "c", title: "t", detail: "d")
        #expect(try test.store.finish(attempt, .infrastructure(problem, backoff: 0, limit: 1)) == .queued)
    }

    @Test func aPausedJobCanBeCancelled() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.finish(attempt, .paused(.diskFull, delay: 60))
        #expect(try await test.store.claimJob(lease: "s") == nil)
        let job = try await test.store.cancel(attempt.job)
        #expect(job.state == .cancelled && job.paused == nil)
    }

    @Test(arguments: [
        "UPDATE jobs SET verdict = '{}'", "UPDATE jobs SET attempt = 9", "DELETE FROM jobs",
        "DELETE FROM events", "UPDATE jobs SET state = 'queued', finished_at = NULL",
        "UPDATE jobs SET paused = 'disk_full'", "UPDATE jobs SET priority = 11",
        "INSERT INTO artifacts SELECT seq, 'purified_model', -1, model_sha256, 1 FROM jobs",
        """
        INSERT INTO events (job, at, kind, data) SELECT seq, 0, 'state', '{"state":"succeeded"}' FROM jobs
        """,
    ])
    func theSchemaKeepsAResultAsItIs(sql: String) async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.record(TestStore.verdict, by: attempt)
        try test.store.finish(attempt, .succeeded)
        #expect(throws: DatabaseError.self) { try test.execute(sql) }
    }

    @Test func finishedJobsGoByAgeAndNumber() async throws {
        let test = try TestStore()
        var ids: [String] = []
        for _ in 0..<4 {
            let attempt = try await test.runningJob()
            try test.store.record((0..<10).map { TestStore.sample($0) }, by: attempt)
            try test.store.record(TestStore.blob(9), as: .purifiedModel, by: attempt)
            try test.store.record(TestStore.verdict, by: attempt)
            try test.store.finish(attempt, .succeeded)
            ids.append(attempt.job)
        }
        let queued = try await test.job()
        let store = test.store
        #expect(try await store.expiredJobs(RetentionPolicy()) == [])
        #expect(try await store.expiredJobs(RetentionPolicy(count: 3)) == [ids[0]])
        #expect(try await store.expiredJobs(RetentionPolicy(age: 60)) == [])
        let later = Date(timeIntervalSinceNow: 61)
        #expect(try await store.expiredJobs(RetentionPolicy(age: 60), at: later) == ids)
        let removed = Removed()
        for id in ids.dropLast() {
            try await store.removeJob(id, reason: .retention) { removed.add($0) }
            #expect(await problemCode { _ = try await store.job(id) } == "job-removed")
            #expect(try await store.tombstone(id)?.reason == .retention)
        }
        // The last job still has the same content.
        #expect(removed.list == [])
        try await store.removeJob(ids[3], reason: .request) { removed.add($0) }
        #expect(removed.list == [TestStore.blob(9).sha256])
        #expect(
            await problemCode { try await store.removeJob(queued.id, reason: .request) { _ in } }
                == "job-not-finished")
        #expect(try await store.jobs(limit: 10).items.map(\.id) == [queued.id])
        try await store.removeTombstones(RetentionPolicy(tombstoneAge: 0), at: later)
        #expect(await problemCode { _ = try await store.job(ids[0]) } == "job-not-found")
        #expect(try await store.integrityFaults() == [])
    }

    @Test func theLogIsCutWhenItIsLong() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        for start in 0..<20 {
            try test.store.record((0..<1_000).map { TestStore.sample(start * 1_000 + $0) }, by: attempt)
        }
        #expect(try test.store.sizes().wal > 1 << 20)
        #expect(try await test.store.boundLog(limit: 1 << 20))
        #expect(try test.store.sizes().wal == 0)
        #expect(try await test.store.boundLog(limit: 1 << 20) == false)
    }
}
