import ArtifactStore
import Findings
import Foundation
import JobQueue
import JobStore
import Support
import Testing

@Suite struct JobQueueTests {
    static let wholeJob = """
        phase boundary_analysis
        samples 2500
        phase detection
        verdict
        metrics
        phase decoupling
        progress 0.5
        evaluation
        artifact purified.pt2 weights
        phase evaluation
        finished
        """

    @Test func aJobRunsFromUploadToResult() async throws {
        let service = try Service()
        try await service.queue.start()
        let id = try await service.submit(Self.wholeJob)
        var kinds: [JobEvent.Kind] = []
        for try await event in service.queue.events(of: id) { kinds.append(event.kind) }
        let expected: [JobEvent.Kind] = [
            .state, .state, .phase, .phase, .verdict, .phase, .progress, .metrics, .phase, .state,
        ]
        #expect(kinds == expected)
        let job = try await service.job(id)
        #expect(job.state == .succeeded && job.attempt == 1 && job.verdict?.result == .backdoored)
        #expect(job.phases.map(\.phase) == [.boundaryAnalysis, .detection, .decoupling, .evaluation])
        let blob = try #require(job.artifact(.purifiedModel))
        let path = try #require(service.artifacts.path(of: blob.sha256))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "weights")
        var count = 0
        for try await page in service.store.samplePages(of: id, SampleQuery()) { count += page.count }
        #expect(count == 2_500)
        try await service.end()
        // The result is in the stores; the work files are gone.
        #expect(!FileManager.default.fileExists(atPath: service.directory + "/jobs/" + id))
        try FileManager.default.removeItem(atPath: service.directory)
    }

    /// A worker that was taken over fills neither the database nor is it tried again.
    @Test func aFloodIsBounded() async throws {
        let service = try Service()
        try await service.queue.start()
        let foreign = try await service.submit("flood-of foreign-samples 1\nverdict\nfinished")
        let job = try await service.job(foreign)
        #expect(job.state == .failed && job.problem?.code == "worker-flood" && job.attempt == 1)
        let changing = try await service.submit("verdict\nflood-of changes 5000\nfinished")
        #expect(try await service.job(changing).state == .succeeded)
        let events = try await service.store.events(of: changing, after: 0, limit: 1_000)
        #expect((200...260).contains(events.count), "\(events.count)")
        try await service.remove()
    }

    @Test func rejectedInputsSayWhyAndFailTheirJobs() async throws {
        let service = try Service()
        let model = try await service.model("finished", probe: "fail unprocessable model-bad")
        let dataset = try await service.dataset("fail malformed archive-bad")
        let job = try await service.queue.submit(JobRequest(type: .scan, model: model, dataset: dataset)).job
        try await service.queue.start()
        #expect(
            try await service.queue.waitForModel(model, timeout: .seconds(60)).problem?.code == "model-bad")
        let rejected = try await service.queue.waitForDataset(dataset, timeout: .seconds(60))
        #expect(rejected.state == .rejected && rejected.problem?.code == "archive-bad")
        #expect(try await service.job(job.id).problem?.code == "model-bad")
        try await service.queue.deleteModel(model)
        try await service.queue.deleteDataset(dataset)
        #expect(try service.artifacts.datasetIDs() == [])
        for folder in ["datasets/.importing", "blobs", "jobs"] {
            let left = try FileManager.default.contentsOfDirectory(atPath: service.directory + "/" + folder)
            #expect(left == [])
        }
        try await service.remove()
    }

    @Test func waitingEndsWithItsTime() async throws {
        let service = try Service()
        let model = try await service.model("finished")
        #expect(try await service.queue.waitForModel(model, timeout: .milliseconds(50)).state == .importing)
        try await service.queue.start()
        #expect(try await service.queue.waitForModel(model, timeout: .seconds(60)).state == .ready)
        try await service.remove()
    }

    @Test func badInputIsNeverRetried() async throws {
        let service = try Service()
        try await service.queue.start()
        let job = try await service.job(try await service.submit("fail unprocessable shape-mismatch"))
        #expect(job.state == .failed && job.attempt == 1 && job.problem?.code == "shape-mismatch")
        // The user may still ask for another try.
        #expect(try await service.queue.retry(job.id).state == .queued)
        let again = try await service.queue.waitForJob(job.id, timeout: .seconds(60))
        #expect(again.state == .failed && again.attempt == 2)
        try await service.remove()
    }

    @Test func jobsStartInOrderWithinTheSlots() async throws {
        let service = try Service { $0.slots = 2 }
        let model = try await service.model("verdict\nfinished")
        let dataset = try await service.dataset()
        var ids: [String] = []
        for _ in 0..<6 {
            let request = JobRequest(type: .scan, model: model, dataset: dataset)
            ids.append(try await service.queue.submit(request).job.id)
        }
        try await service.queue.start()
        var starts: [Date] = []
        for id in ids {
            let job = try await service.job(id)
            #expect(job.state == .succeeded)
            starts.append(try #require(job.startedAt))
        }
        #expect(starts == starts.sorted())
        try await service.remove()
    }

    @Test func aResultWithTheContentOfAnInputSurvivesTheInputsDeletion() async throws {
        let service = try Service()
        try await service.queue.start()
        let job = try await service.job(try await service.submit("artifact out same\nverdict\nfinished"))
        let blob = try #require(job.artifact(.purifiedModel))
        let twin = try await service.queue.addModel(name: "twin", blob: blob)
        _ = try await service.queue.waitForModel(twin.id, timeout: .seconds(60))
        try await service.queue.deleteModel(twin.id)
        #expect(service.artifacts.path(of: blob.sha256) != nil)
        try await service.remove()
    }

    @Test func aModelWithoutItsContentIsNotTaken() async throws {
        let service = try Service()
        let gone = try service.upload("gone")
        try service.artifacts.delete(sha256: gone.sha256)
        await #expect(throws: Problem.self) { try await service.queue.addModel(name: "m", blob: gone) }
        #expect(try await service.store.models(limit: 1, cursor: nil).items.isEmpty)
        try await service.remove()
    }
}
