import Findings
import Foundation
import GRDB
import Support
import Testing
import WorkerProtocol

@testable import JobQueue
@testable import JobStore

/// A database that does not take what an attempt found.
@Suite struct RefusedResultTests {
    /// Lets the database refuse rows as a violated constraint does.
    private func refuse(_ event: String, _ service: Service, when condition: String = "true") throws {
        try service.store.pool.write {
            try $0.execute(
                sql: """
                    CREATE TRIGGER refusal BEFORE \(event) WHEN \(condition)
                    BEGIN SELECT RAISE(ABORT, 'refused by the test'); END
                    """)
        }
    }

    @Test func aMessageThatBreaksAConstraintFailsTheJobAtOnce() async throws {
        let service = try Service()
        try await service.queue.start()
        try refuse("INSERT ON phases", service)
        let job = try await service.job(
            try await service.submit("phase boundary_analysis\nverdict\nfinished"))
        #expect(job.state == .failed && job.attempt == 1)
        #expect(job.problem?.code == AttemptRunner.refusedCode)
        #expect(
            job.problem?.detail.contains("refused by the test") == true, "\(String(describing: job.problem))")
        try await service.remove()
    }

    @Test func aResultThatBreaksAConstraintFailsTheJobAtOnce() async throws {
        let service = try Service { $0.storePatience = .seconds(600) }
        try await service.queue.start()
        try refuse("UPDATE OF state ON jobs", service, when: "new.state = 'succeeded'")
        let job = try await service.job(try await service.submit("verdict\nfinished"))
        #expect(job.state == .failed && job.attempt == 1)
        #expect(job.problem?.code == AttemptRunner.refusedCode)
        #expect(job.problem?.detail.contains("refused by the test") == true)
        // Its slot is free again.
        let next = try await service.job(try await service.submit("refuse unfit"))
        #expect(next.problem?.code == "unfit")
        try await service.remove()
    }

    /// The worker would have the same to say again.
    @Test func whatAWorkerCannotSayIsNotTriedAgain() async throws {
        let service = try Service()
        try await service.queue.start()
        let code = WorkerMessage.notSendableCode
        let job = try await service.job(try await service.submit("fail internal \(code)"))
        #expect(job.state == .failed && job.attempt == 1 && job.problem?.code == code)
        let id = try await service.dataset("fail internal \(code)")
        let record = try await service.queue.waitForDataset(id, timeout: .seconds(60))
        #expect(record.state == .rejected && record.problem?.code == code)
        try await service.remove()
    }

    @Test func anImportThatBreaksAConstraintIsRejectedAtOnce() async throws {
        let service = try Service { $0.storePatience = .seconds(600) }
        try await service.queue.start()
        try refuse("UPDATE OF state ON datasets", service, when: "new.state = 'ready'")
        let id = try await service.dataset()
        let record = try await service.queue.waitForDataset(id, timeout: .seconds(60))
        #expect(record.state == .rejected && record.problem?.code == AttemptRunner.refusedCode)
        #expect(record.problem?.detail.contains("refused by the test") == true)
        try await service.remove()
    }

    /// Holds the database as another program would, from the verdict on.
    private func lock(_ service: Service) throws -> DatabaseQueue {
        try service.store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 10") }
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(
            path: service.directory + "/burn.sqlite", configuration: configuration)
        try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        return other
    }

    private func unlock(_ other: DatabaseQueue) throws {
        try other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try other.close()
    }

    private func running(_ service: Service) async throws -> (id: String, attempt: JobAttempt) {
        let request = JobRequest(
            type: .scan, model: try await service.model("finished"), dataset: try await service.dataset())
        let id = try await service.queue.submit(request).job.id
        for _ in 0..<600 {
            if let attempt = try await service.store.claimJob(lease: "test") { return (id, attempt) }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CancellationError()
    }

    private func runner(_ service: Service, patience: Duration) throws -> AttemptRunner {
        var configuration = JobQueue.Configuration()
        configuration.storePatience = patience
        configuration.backoff = .seconds(60)
        return AttemptRunner(
            store: service.store, artifacts: service.artifacts,
            supervisor: try .init(configuration: service.supervision), configuration: configuration,
            conditions: QueueConditions(), helperSlots: HelperSlots(slots: 1), logger: service.logger)
    }

    @Test func aBusyDatabaseTakesTheResultLater() async throws {
        let service = try Service { $0.slots = 0 }
        try await service.queue.start()
        let (id, attempt) = try await running(service)
        let runner = try runner(service, patience: .seconds(60))
        let other = try lock(service)
        async let state = withCheckedContinuation { done in
            OwnThread.run("test") {
                done.resume(returning: Result { try runner.settle(.stopped, of: attempt, service.logger) })
            }
        }
        try await Task.sleep(for: .milliseconds(200))
        try unlock(other)
        #expect(try await state.get() == .queued)
        #expect(try await service.store.job(id).problem == nil)
        try await service.remove()
    }

    @Test func aDatabaseThatStaysBusyEndsTheAttemptWithinItsTime() async throws {
        let service = try Service { $0.slots = 0 }
        try await service.queue.start()
        let (id, attempt) = try await running(service)
        let runner = try runner(service, patience: .milliseconds(300))
        let other = try lock(service)
        let began = ContinuousClock.now
        #expect(throws: DatabaseError.self) { try runner.settle(.succeeded, of: attempt, service.logger) }
        #expect(ContinuousClock.now - began < .seconds(30), "not for ever")
        try unlock(other)
        #expect(
            try await service.store.job(id).state == .running, "its lease ends, and the job is taken back")
        #expect(try await service.store.recover(lease: "next") > 0)
        #expect(try await service.store.job(id).state == .queued)
        try await service.remove()
    }

    /// The last write of all goes through: the attempt counts as a failure of the service, and is repeated.
    @Test func whatCouldNotBeStoredInTimeIsAnInfrastructureFailure() async throws {
        let service = try Service { $0.slots = 0 }
        try await service.queue.start()
        let (id, attempt) = try await running(service)
        let runner = try runner(service, patience: .zero)
        var tries = 0
        let state: JobState = try runner.settle(service.logger) {
            tries += 1
            throw DatabaseError(resultCode: .SQLITE_BUSY)
        } orElse: { problem, isPermanent in
            #expect(!isPermanent && problem.code == "results-not-stored" && problem.category == .internal)
            return try service.store.finish(attempt, .infrastructure(problem, backoff: 60, limit: 3))
        }
        #expect(state == .queued && tries == 1)
        #expect(try await service.store.job(id).state == .queued)
        try await service.remove()
    }

    @Test(arguments: [
        (ResultCode.SQLITE_CONSTRAINT, true), (.SQLITE_CORRUPT, true), (.SQLITE_MISUSE, true),
        (.SQLITE_ERROR, true),
        (.SQLITE_BUSY, false), (.SQLITE_FULL, false), (.SQLITE_IOERR, false), (.SQLITE_LOCKED, false),
    ])
    func whatWillPassIsToldFromWhatWillNot(code: ResultCode, isPermanent: Bool) {
        #expect(StorageFault.isPermanent(DatabaseError(resultCode: code)) == isPermanent)
    }
}
