import ArtifactStore
import Findings
import Foundation
import Support
import Testing
import WorkerProtocol

@testable import JobStore

@Suite struct TransitionTests {
    static let bad = Problem(.unprocessable, code: "bad", title: "Bad", detail: "d")
    static let fault = Problem(.internal, code: "fault", title: "Fault", detail: "d")

    @Test func aJobGoesThroughItsLife() async throws {
        let test = try TestStore()
        let job = try await test.job(.purify)
        #expect(job.state == .queued && job.attempt == 0 && job.startedAt == nil)
        let attempt = try #require(try await test.store.claimJob(lease: "a"))
        #expect(attempt.job == job.id && attempt.number == 1)
        #expect(try await test.store.claimJob(lease: "a") == nil)
        try test.store.record(WorkerProgress(phase: .detection, fraction: 0.5, secondsLeft: 9), by: attempt)
        try test.store.recordPhase(.detection, round: 0, seconds: 2, by: attempt)
        try test.store.record(TestStore.verdict, by: attempt)
        try test.store.record(PurificationMetrics(after: EvaluationMetrics(acc: 1)), by: attempt)
        try test.store.record(TestStore.blob(9), as: .purifiedModel, by: attempt)
        try test.store.record(
            [
                MetricPoint(phase: .evaluation, name: "b", value: 1),
                .init(phase: .detection, name: "a", value: 2),
            ],
            by: attempt)
        #expect(try test.store.finish(attempt, .succeeded) == .succeeded)
        let done = try await test.store.job(job.id)
        #expect(done.state == .succeeded && done.verdict == TestStore.verdict && done.finishedAt != nil)
        #expect(done.phase == .detection && done.progress == 0.5 && done.secondsLeft == nil)
        #expect(done.artifact(.purifiedModel) == TestStore.blob(9) && done.artifact(.trainedModel) == nil)
        #expect(done.metrics?.after?.acc == 1 && done.phases.map(\.seconds) == [2])
        #expect(try await test.store.metrics(of: job.id).map(\.name) == ["a", "b"])
        let events = try await test.store.events(of: job.id)
        #expect(events.map(\.kind) == [.state, .state, .progress, .phase, .verdict, .metrics, .state])
        #expect(events.map(\.id) == events.map(\.id).sorted())
        #expect(events[2].data == #"{"phase":"detection","progress":0.5,"round":0,"seconds_left":9}"#)
        #expect(try await test.store.jobCounts() == [.succeeded: 1])
    }

    @Test func reportsCanBeRepeated() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        for _ in 0..<2 {
            try test.store.recordPhase(.detection, round: 0, seconds: 2, by: attempt)
            try test.store.record(TestStore.verdict, by: attempt)
            try test.store.record([TestStore.sample(1)], by: attempt)
            try test.store.record([MetricPoint(phase: .detection, name: "a", value: 2)], by: attempt)
        }
        let events = try await test.store.events(of: attempt.job).map(\.kind)
        #expect(events == [.state, .state, .phase, .verdict])
        #expect(try await test.store.samples(of: attempt.job, SampleQuery(), limit: 10).items.count == 1)
    }

    @Test func successWithoutAVerdictIsAFailure() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        #expect(try test.store.finish(attempt, .succeeded) == .failed)
        #expect(try await test.store.job(attempt.job).problem?.code == "worker-incomplete")
    }

    @Test func onlyTheServicesFaultsAreRetriedAndNotForEver() async throws {
        let test = try TestStore()
        var attempt = try await test.runningJob()
        for number in 1...3 {
            let state = try test.store.finish(attempt, .infrastructure(Self.fault, backoff: 0, limit: 3))
            #expect(state == .queued)
            attempt = try #require(try await test.store.claimJob(lease: "a"))
            #expect(attempt.number == number + 1)
        }
        #expect(try test.store.finish(attempt, .infrastructure(Self.fault, backoff: 0, limit: 3)) == .failed)
        #expect(try await test.store.retry(attempt.job).state == .queued)
        attempt = try #require(try await test.store.claimJob(lease: "a"))
        #expect(try test.store.finish(attempt, .failed(Self.bad)) == .failed)
        #expect(try await test.store.job(attempt.job).problem == Self.bad)
    }

    /// The estimate comes from what was found of the inputs. A task for which it was too little goes on at once without one, and
    /// that is none of the retries.
    @Test func aJobThatTakesMoreThanExpectedGoesOnWithoutAnEstimate() async throws {
        let test = try TestStore()
        let model = try await test.store.insertModel(name: "m", blob: TestStore.blob(1))
        let probe = try #require(try await test.store.claimImport(lease: "a"))
        let pass = PassCost(height: 8, width: 8, activationBytes: 4_096, seconds: 0.5)
        try test.store.finishImport(probe, model: TestStore.modelSummary, pass: pass)
        let set = try await test.dataset()
        let request = JobRequest(
            type: .purify, model: model.id, dataset: set,
            evaluation: .init(clean: set, triggered: nil, targetClass: nil))
        _ = try await test.store.submit(request)
        let first = try #require(try await test.store.claimJob(lease: "a"))
        let expected = JobEstimate(
            .purify, request.options, model: TestStore.modelSummary, pass: pass,
            dataset: TestStore.datasetSummary, further: [TestStore.datasetSummary])
        #expect(try test.store.estimate(of: first) == expected && expected != nil)
        #expect(try test.store.finish(first, .tooSmall(Self.bad)) == .queued)
        let second = try #require(try await test.store.claimJob(lease: "a"))
        #expect(try test.store.estimate(of: second) == nil && second.number == 2)
        let state = try test.store.finish(second, .infrastructure(Self.fault, backoff: 0, limit: 1))
        #expect(state == .queued)
        #expect(try await test.store.events(of: first.job).contains { $0.data.contains(Self.bad.code) })
    }

    @Test func aModelOfAnEarlierVersionHasNoEstimate() async throws {
        let test = try TestStore()
        #expect(try test.store.estimate(of: await test.runningJob()) == nil)
    }

    @Test func aRetryWaitsForItsTime() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        try test.store.finish(attempt, .infrastructure(Self.fault, backoff: 3_600, limit: 3))
        #expect(try await test.store.claimJob(lease: "a") == nil)
        let due = try #require(try await test.store.nextDue())
        #expect(due.timeIntervalSinceNow > 3_500)
        // At any one time a job is either claimed or known as due later.
        #expect(try await test.store.claimJob(lease: "a", at: due - 0.001) == nil)
        #expect(try await test.store.nextDue(after: due - 0.001) == due)
        #expect(try await test.store.nextDue(after: due) == nil)
        #expect(try await test.store.claimJob(lease: "a", at: due) != nil)
    }

    @Test func aStaleAttemptChangesNothing() async throws {
        let test = try TestStore()
        let old = try await test.runningJob()
        #expect(try await test.store.recover(lease: "b") == 1)
        let new = try #require(try await test.store.claimJob(lease: "b"))
        #expect(new.number == 2)
        let before = try await test.store.job(old.job)
        let events = try await test.store.events(of: old.job)
        let store = test.store
        let writes: [() throws -> Void] = [
            { try store.record(WorkerProgress(phase: .detection, fraction: 1), by: old) },
            { try store.recordPhase(.detection, round: 0, seconds: 1, by: old) },
            { try store.record(TestStore.verdict, by: old) },
            { try store.record([TestStore.sample(1)], by: old) },
            { try store.record([MetricPoint(phase: .detection, name: "a", value: 2)], by: old) },
            { try store.record(PurificationMetrics(), by: old) },
            { try store.record(TestStore.blob(3), as: .purifiedModel, by: old) },
            { try store.finish(old, .succeeded) },
            { try store.finish(old, .failed(Self.bad)) },
            { _ = try store.isCancelling(old) },
        ]
        for write in writes { #expect(throws: StaleAttempt(id: old.job, number: 1)) { try write() } }
        #expect(try await test.store.job(old.job) == before)
        #expect(try await test.store.events(of: old.job) == events)
        // A result counts once.
        try test.store.record(TestStore.verdict, by: new)
        #expect(try test.store.finish(new, .succeeded) == .succeeded)
        #expect(throws: StaleAttempt.self) { try store.finish(new, .failed(Self.bad)) }
    }

    @Test func cancelInEveryState() async throws {
        let test = try TestStore()
        let queued = try await test.job()
        #expect(try await test.store.cancel(queued.id).state == .cancelled)
        #expect(try await test.store.cancel(queued.id).state == .cancelled)
        let attempt = try await test.runningJob()
        #expect(try await test.store.cancel(attempt.job).state == .cancelling)
        #expect(try await test.store.cancel(attempt.job).state == .cancelling)
        #expect(try test.store.isCancelling(attempt))
        try test.store.record(TestStore.verdict, by: attempt)
        #expect(try test.store.finish(attempt, .succeeded) == .cancelled)
        let done = try await test.runningJob()
        try test.store.finish(done, .failed(Self.bad))
        #expect(await problemCode { _ = try await test.store.cancel(done.job) } == "job-finished")
        #expect(await problemCode { _ = try await test.store.cancel("job_x") } == "job-not-found")
        #expect(
            await problemCode { _ = try await test.store.retry(try await test.job().id) }
                == "job-not-finished")
    }

    @Test func recoveryCancelsWhatWasCancelling() async throws {
        let test = try TestStore()
        let attempt = try await test.runningJob()
        _ = try await test.store.cancel(attempt.job)
        #expect(try await test.store.recover(lease: "a") == 0)
        #expect(try await test.store.recover(lease: "b") == 1)
        #expect(try await test.store.job(attempt.job).state == .cancelled)
    }

    @Test func aJobWaitsForItsInputs() async throws {
        let test = try TestStore()
        let model = try await test.model()
        let dataset = try await test.dataset(ready: false)
        let waiting = try await test.store.submit(JobRequest(type: .scan, model: model, dataset: dataset)).job
        let other = try await test.dataset(ready: false)
        let doomed = try await test.store.submit(
            JobRequest(type: .scan, model: model, dataset: dataset, evaluation: .init(triggered: other))
        ).job
        #expect(try await test.store.claimJob(lease: "a") == nil)
        let first = try #require(try await test.store.claimImport(lease: "a"))
        #expect(first.id == dataset)
        try test.store.finishImport(first, dataset: TestStore.datasetSummary)
        let second = try #require(try await test.store.claimImport(lease: "a"))
        try test.store.rejectImport(second, Self.bad)
        #expect(throws: StaleAttempt.self) { try test.store.rejectImport(second, Self.bad) }
        #expect(try await test.store.job(doomed.id).problem == Self.bad)
        #expect(try await test.store.claimJob(lease: "a")?.job == waiting.id)
        #expect(await problemCode { _ = try await test.store.submit(doomed.request) } == "dataset-rejected")
    }

    @Test func aTrustedSetIsAnInputLikeOthers() async throws {
        let test = try TestStore()
        let (model, dataset) = (try await test.model(), try await test.dataset())
        let trusted = try await test.dataset(ready: false)
        let request = JobRequest(
            type: .purify, model: model, dataset: dataset, options: JobOptions(trusted: trusted))
        let job = try await test.store.submit(request).job
        #expect(try await test.store.claimJob(lease: "a") == nil)
        let attempt = try #require(try await test.store.claimImport(lease: "a"))
        #expect(attempt.id == trusted)
        try test.store.finishImport(attempt, dataset: TestStore.datasetSummary)
        let code = await problemCode { try await test.store.deleteInput(.dataset, trusted) { _ in } }
        #expect(code == "dataset-in-use")
        #expect(try await test.store.jobs(using: .dataset, trusted).map(\.id) == [job.id])
        let claimed = try #require(try await test.store.claimJob(lease: "a"))
        #expect(claimed.job == job.id && claimed.request.options.trusted == trusted)
        _ = try await test.store.cancel(job.id)
        #expect(try await test.store.recover(lease: "b") == 1)
        try await test.store.deleteInput(.dataset, trusted) { _ in }
        #expect(try await test.store.job(job.id).state == .cancelled)
        let missing = JobRequest(
            type: .purify, model: model, dataset: dataset, options: JobOptions(trusted: "dst_nowhere"))
        #expect(await problemCode { _ = try await test.store.submit(missing) } == "dataset-not-found")
    }

    @Test func inputsInUseStay() async throws {
        let test = try TestStore()
        let job = try await test.job()
        let code = await problemCode {
            try await test.store.deleteInput(.model, job.request.model) { _ in }
        }
        #expect(code == "model-in-use")
        #expect(try await test.store.model(job.request.model).state == .ready)
        _ = try await test.store.cancel(job.id)
        let removed = Removed()
        // The same content under another id keeps the blob.
        let twin = try await test.store.insertModel(name: "twin", blob: TestStore.blob(1))
        try await test.store.deleteInput(.model, job.request.model) { removed.add($0) }
        #expect(removed.list.isEmpty)
        try await test.store.deleteInput(.model, twin.id) { removed.add($0) }
        #expect(removed.list == [TestStore.blob(1).sha256])
    }

    @Test func anIdempotencyKeyMakesOneJob() async throws {
        let test = try TestStore()
        let request = try await test.job().request
        let submissions = try await withThrowingTaskGroup(of: Submission.self) { group in
            for _ in 0..<10 {
                group.addTask { try await test.store.submit(request, idempotencyKey: "k", requestHash: "h") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(submissions.map(\.job.id)).count == 1)
        #expect(submissions.filter { !$0.replayed }.count == 1)
        let reused = await problemCode {
            _ = try await test.store.submit(request, idempotencyKey: "k", requestHash: "other")
        }
        #expect(reused == "idempotency-key-reused")
        #expect(
            await problemCode { _ = try await test.store.submit(request, maximumQueued: 2) } == "queue-full")
    }
}
