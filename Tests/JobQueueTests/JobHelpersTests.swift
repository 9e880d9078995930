import Findings
import Foundation
import JobQueue
import JobStore
import Support
import Testing

/// Helpers of a job, as scripted workers.
@Suite struct JobHelpersTests {
    /// A job that wants a helper until a file says that it may go on.
    private func submit(_ service: Service, then rest: String, helper: String, slots: Int? = nil) async throws
        -> String
    {
        let model = try await service.model("seek 1\nuntil-file go\n\(rest)\n[help]\n\(helper)")
        return try await service.queue.submit(
            JobRequest(
                type: .scan, model: model, dataset: try await service.dataset(),
                options: JobOptions(slots: slots))
        ).job.id
    }

    private func folders(of job: String, _ service: Service) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(service.directory)/jobs/\(job)/parts-1"))
            ?? []
    }

    private func go(_ job: String, _ service: Service) {
        let path = "\(service.directory)/jobs/\(job)/work/go"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
    }

    private func waitUntil(_ condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func helpersThatDieAtOnceAreGivenUpAndTheJobGoesOn() async throws {
        let service = try Service { $0.slots = 2 }
        try await service.queue.start()
        let id = try await submit(service, then: "verdict\nfinished", helper: "die 9", slots: 2)
        try await waitUntil { folders(of: id, service).count >= 8 }
        try await Task.sleep(for: .milliseconds(300))
        #expect(folders(of: id, service).count == 8)
        go(id, service)
        let job = try await service.job(id)
        #expect(job.state == .succeeded && job.attempt == 1)
        try await service.remove()
    }

    /// A worker that was taken over can't fill the service's memory with parts.
    @Test func moreThanAHelperHoldsIsAFlood() async throws {
        let service = try Service { $0.slots = 2 }
        try await service.queue.start()
        let id = try await submit(service, then: "give 9 1\ngive 1 5\nwait", helper: "wait", slots: 2)
        try await waitUntil { folders(of: id, service) == ["1"] }
        go(id, service)
        let job = try await service.job(id)
        #expect(job.state == .failed && job.problem?.code == "worker-flood", "\(job)")
        try await service.remove()
    }

    @Test(arguments: [(slots: 2, option: 1), (1, 2), (2, nil)])
    func aJobOfOneSlotHasNone(_ given: (slots: Int, option: Int?)) async throws {
        let service = try Service { $0.slots = given.slots }
        try await service.queue.start()
        let id = try await submit(service, then: "verdict\nfinished", helper: "wait", slots: given.option)
        try await waitUntil {
            FileManager.default.fileExists(atPath: "\(service.directory)/jobs/\(id)/work")
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(!FileManager.default.fileExists(atPath: "\(service.directory)/jobs/\(id)/parts-1"))
        go(id, service)
        #expect(try await service.job(id).state == .succeeded)
        try await service.remove()
    }
}
