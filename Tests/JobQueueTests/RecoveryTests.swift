import Findings
import Foundation
import JobQueue
import JobStore
import Support
import Testing

/// Crashes, cancels and restarts: a job ends once, with what its finished phases left.
@Suite struct RecoveryTests {
    static let interrupted = "phase boundary_analysis\nwait-once\nphase detection\nverdict\nfinished"

    @Test(arguments: ["die-once 9", "die-once 11"])
    func aCrashedWorkersJobGoesOnAfterItsLastPhase(crash: String) async throws {
        let service = try Service()
        try await service.queue.start()
        let id = try await service.submit(
            "phase boundary_analysis\n\(crash)\nphase detection\nverdict\nwait-once\nfinished")
        let job = try await service.job(id) { $0.verdict != nil }
        #expect(job.state == .running && job.attempt == 2 && job.phases.count == 2)
        let journal = try service.journal(id)
        #expect(journal == ["worked boundary_analysis", "resumed boundary_analysis", "worked detection"])
        try await service.remove()
    }

    @Test func aWorkerThatAlwaysCrashesFailsItsJobAfterThreeRetries() async throws {
        let service = try Service()
        try await service.queue.start()
        let job = try await service.job(try await service.submit("say boom\ndie 6"))
        #expect(job.state == .failed && job.attempt == 4 && job.problem?.code == "worker-crashed")
        #expect(job.problem?.detail.contains("boom") == true)
        try await service.remove()
    }

    @Test func anImportIsRetriedToo() async throws {
        let service = try Service()
        try await service.queue.start()
        let dataset = try await service.dataset("die 9")
        let record = try await service.queue.waitForDataset(dataset, timeout: .seconds(60))
        #expect(record.state == .rejected && record.problem?.category == .internal)
        let model = try await service.model("finished", probe: "exit 3")
        let other = try await service.queue.waitForModel(model, timeout: .seconds(60))
        #expect(other.problem?.code == "worker-exited")
        try await service.remove()
    }

    @Test func aResultThatCannotBeTakenIsAnInfrastructureFailure() async throws {
        let service = try Service { $0.retries = 0 }
        try await service.queue.start()
        let job = try await service.job(try await service.submit("artifact ../../../lock\nfinished"))
        #expect(job.state == .failed && job.problem?.code == "artifact-not-readable")
        try await service.remove()
    }

    @Test(arguments: ["wait", "hang", "stubborn\nhang"])
    func cancelStopsARunningJob(script: String) async throws {
        let service = try Service()
        try await service.queue.start()
        let id = try await service.submit("phase boundary_analysis\n" + script)
        _ = try await service.job(id) { !$0.phases.isEmpty }
        #expect(try await service.queue.cancel(id).state == .cancelling)
        #expect(try await service.job(id).state == .cancelled)
        #expect(try await service.queue.cancel(id).state == .cancelled)
        try await service.remove()
    }

    @Test func aCancelThatMeetsTheClaimIsNotLost() async throws {
        let service = try Service { $0.slots = 2 }
        try await service.queue.start()
        let request = JobRequest(
            type: .scan, model: try await service.model("hang"), dataset: try await service.dataset())
        _ = try await service.queue.waitForDataset(request.dataset, timeout: .seconds(60))
        for _ in 0..<10 {
            let id = try await service.queue.submit(request).job.id
            for _ in 0..<Int.random(in: 0...20) { await Task.yield() }
            _ = try await service.queue.cancel(id)
            #expect(try await service.job(id).state == .cancelled)
        }
        try await service.remove()
    }

    @Test func aStoppedServiceGoesOnAfterItsRestart() async throws {
        let service = try Service()
        try await service.queue.start()
        let id = try await service.submit(Self.interrupted)
        _ = try await service.job(id) { !$0.phases.isEmpty }
        await service.queue.shutdown()
        #expect(try await service.store.job(id).state == .queued)
        #expect(await service.queue.runningJobs.isEmpty)
        try await service.queue.start()
        let job = try await service.job(id)
        #expect(job.state == .succeeded && job.attempt == 2 && job.phases.count == 2)
        try await service.remove()
    }

    /// Lets go of the directory when it returns.
    static func prepare() async throws -> (directory: String, job: String) {
        let service = try Service()
        let job = try await service.submit(interrupted)
        try await service.end()
        return (service.directory, job)
    }

    @Test func aKilledServiceLosesNothing() async throws {
        let (directory, id) = try await Self.prepare()
        let server = Process()
        server.executableURL = URL(filePath: Service.worker)
        server.arguments = ["serve", directory]
        server.standardError = FileHandle.nullDevice
        server.standardOutput = FileHandle.nullDevice
        try server.run()
        while server.isRunning, !FileManager.default.fileExists(atPath: directory + "/jobs/\(id)/work/waited")
        {
            try await Task.sleep(for: .milliseconds(10))
        }
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()

        let service = try Service(directory)
        #expect(try await service.store.job(id).state == .running)
        try await service.queue.start()
        var events: [JobEvent] = []
        for try await event in service.queue.events(of: id) { events.append(event) }
        let job = try await service.job(id)
        #expect(job.state == .succeeded && job.attempt == 2 && job.phases.count == 2)
        #expect(events.filter { $0.data.contains(#""state":"succeeded""#) }.count == 1)
        try await service.remove()
    }
}
