import Findings
import Foundation
import JobQueue
import JobStore
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// Tasks that are given what they are expected to take, as on a cluster.
@Suite struct EnlargementTests {
    /// Workers of this machine, as if they were elsewhere and given so much.
    private struct Elsewhere: WorkerExecutor {
        let scarce: Set<TaskResource>
        var mostTasks: Int? { nil }
        var isRemote: Bool { true }
        var obstacle: Problem? { nil }

        func scarce(for task: WorkerTask) -> Set<TaskResource> { task.estimate == nil ? [] : scarce }

        func prepare(_ task: WorkerTask, for label: WorkerLabel, worker: WorkerCommand) -> any WorkerRun {
            LocalRun(command: worker)
        }
    }

    /// - Returns: the job at its end, and the codes of what its attempts were ended by.
    private func run(
        _ script: String, probe: String = "model-summary 8 3 4096 0.001\nfinished",
        scarce: Set<TaskResource> = [.memory]
    ) async throws -> (job: JobRecord, codes: [String], fixes: [String]) {
        let service = try Service {
            $0.retries = 2
        } supervise: {
            $0.executor = Elsewhere(scarce: scarce)
        }
        try await service.queue.start()
        let request = JobRequest(
            type: .scan, model: try await service.model(script, probe: probe),
            dataset: try await service.dataset())
        let job = try await service.job(service.queue.submit(request).job.id)
        struct Data: Decodable { var problem: Problem? }
        let problems = try await service.store.events(of: job.id).compactMap {
            try JSONDecoder().decode(Data.self, from: .init($0.data.utf8)).problem
        }
        try await service.remove()
        return (job, problems.map(\.code), problems.compactMap(\.fix))
    }

    /// Whatever a worker calls the want of memory, it gets all that it may have, and that is no failure.
    @Test(arguments: Problem.MemoryCode.allCases) func aWorkerThatWantsMemoryGetsIt(code: Problem.MemoryCode)
        async throws
    {
        let category = code == .failed ? "internal" : "unprocessable"
        let (job, codes, fixes) = try await run(
            "phase boundary_analysis\nsmall fail \(category) \(code.rawValue)\nverdict\nfinished")
        #expect(job.state == .succeeded && job.attempt == 2 && codes == [code.rawValue])
        #expect(fixes.count == 1 && fixes[0].hasPrefix("Nothing"), "\(fixes)")
    }

    /// Where it had all the memory that it may have, more time is no help.
    @Test func whatIsNotScarceIsNotGivenAgain() async throws {
        let (job, codes, _) = try await run(
            "small fail unprocessable worker-memory-exceeded\nverdict\nfinished", scarce: [.time])
        #expect(job.state == .failed && job.attempt == 1 && codes == ["worker-memory-exceeded"])
    }

    /// A worker that dies may have died for want of memory: it is not tried with as little again.
    @Test func afterACrashATaskHasAllThatItMayHave() async throws {
        let (job, codes, _) = try await run("small die 9\nverdict\nfinished")
        #expect(job.state == .succeeded && job.attempt == 2 && codes.count == 1)
    }

    /// Nothing is expected of a model whose pass was not measured.
    @Test func withoutAnEstimateATaskHasAllAtOnce() async throws {
        let (job, _, _) = try await run(
            "small die 9\nverdict\nfinished", probe: "model-summary 8\nfinished")
        #expect(job.state == .succeeded && job.attempt == 1)
    }
}
