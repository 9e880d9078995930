import Foundation
import Support
import Testing
import WorkerProtocol

@testable import JobQueue
@testable import Storage

/// Checks of uploads: how many at a time, who waits, who gives up, and what becomes of one that does not end.
@Suite struct UploadCheckerTests {
    private func file(_ service: Service, _ script: String) throws -> WorkerTask.CheckUpload {
        let path = service.directory + "/" + UUID().uuidString
        try Data("[check]\n\(script)".utf8).write(to: URL(filePath: path))
        return WorkerTask.CheckUpload(file: path, content: .dataset)
    }

    private func code(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "none"
        } catch let problem as Problem { return problem.code } catch { return "\(type(of: error))" }
    }

    @Test func onlySoManyRunAndWaitAtTheSameTime() async throws {
        let service = try Service {
            $0.checks.workers = 2
            $0.checks.mostWaiting = 1
        }
        try await service.queue.start()
        let endless = try file(service, "wait")
        let two = (0..<2).map { _ in Task { try await service.queue.checker.check(endless) } }
        while await service.queue.checker.status.running < 2 { try await Task.sleep(for: .milliseconds(5)) }
        let quick = try file(service, "finished")
        let waiting = Task { try await service.queue.checker.check(quick) }
        while await service.queue.checker.status.waiting < 1 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await code { _ = try await service.queue.checker.check(quick) } == "checks-busy")
        // Whoever goes makes room: its worker ends, and the one that waited has its turn.
        two[0].cancel()
        _ = try await waiting.value
        #expect(await code { _ = try await two[0].value } == "CancellationError")
        // The service stops: the rest is told that this says nothing of their files.
        await service.queue.shutdown()
        #expect(await code { _ = try await two[1].value } == "service-stopping")
        #expect(await code { _ = try await service.queue.checker.check(quick) } == "service-stopping")
        try await service.remove()
    }

    @Test func whoGivesUpWhileItWaitsIsForgotten() async throws {
        let service = try Service { $0.checks.workers = 1 }
        try await service.queue.start()
        let endless = try file(service, "wait")
        let first = Task { try await service.queue.checker.check(endless) }
        while await service.queue.checker.status.running < 1 { try await Task.sleep(for: .milliseconds(5)) }
        let second = Task { try await service.queue.checker.check(endless) }
        while await service.queue.checker.status.waiting < 1 { try await Task.sleep(for: .milliseconds(5)) }
        second.cancel()
        #expect(await code { _ = try await second.value } == "CancellationError")
        #expect(await service.queue.checker.status == .init(running: 1, waiting: 0))
        first.cancel()
        _ = await first.result
        // Both places are free again.
        _ = try await service.queue.checker.check(file(service, "finished"))
        #expect(await service.queue.checker.status == .init(running: 0, waiting: 0))
        try await service.remove()
    }

    @Test(arguments: ["die 4", "die 9", "exit 1", "garbage\nhang", "fill 600"])
    func aCheckThatDiesIsSaidToBeTheFilesFault(end: String) async throws {
        let service = try Service(supervise: { $0.checkMemoryBytes = 128 << 20 })
        try await service.queue.start()
        let task = try file(service, end)
        #expect(await code { _ = try await service.queue.checker.check(task) } == "upload-check-died")
        _ = try await service.queue.checker.check(file(service, "finished"))
        try await service.remove()
    }

    @Test func aCheckThatTakesTooLongIsEnded() async throws {
        let service = try Service(supervise: { $0.checkSeconds = 1 })
        try await service.queue.start()
        let task = try file(service, "stubborn\nhang")
        #expect(await code { _ = try await service.queue.checker.check(task) } == "upload-check-died")
        try await service.remove()
    }

    @Test func workersOfTheReserveAreTakenAndReplaced() async throws {
        let service = try Service(supervise: { $0.reserve = 2 })
        try await service.queue.start()
        for _ in 0..<5 { _ = try await service.queue.checker.check(file(service, "finished")) }
        await service.queue.shutdown()
        // Those that were let go are reaped.
        let own = "/proc/self/task/\(getpid())/children"
        for _ in 0..<200 {
            let children = (try? String(contentsOfFile: own, encoding: .utf8)) ?? ""
            if children.isEmpty { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        try await service.remove()
    }

    /// An upload whose check ended with the service is checked again by the next start, and not for ever.
    @Test func anUploadThatEndsTheServiceIsGivenUp() async throws {
        let service = try Service()
        let uploads = ResumableUploads(
            store: service.store, artifacts: service.artifacts, registered: {}
        ) { _, _ in
            Issue.record("checked a fourth time")
            return nil
        }
        let record = try await uploads.create(.model, name: "m", length: 3)
        let part = try #require(try uploads.take(record))
        try Data("abc".utf8).withUnsafeBytes { try part.append($0) }
        try uploads.pause(part)
        // What a service that died in the middle of it leaves, three times.
        for count in 1...3 {
            #expect(try service.store.beginCheck(upload: record.id, sha256: part.sha256()) == count)
        }
        await uploads.finishInterrupted()
        let found = try await uploads.find(record.id).record
        #expect(found.state == .rejected)
        #expect(found.problem?.code == "upload-check-died")
        #expect(try service.artifacts.partIDs() == [])
        try await service.remove()
    }

    /// What a look ended with, again and again; at last it ends well.
    private func end(
        _ service: Service, times: Int, with error: @escaping @Sendable () -> any Error,
        each: (ResumableUploads, String, String) async throws -> Void
    ) async throws -> (uploads: ResumableUploads, id: String) {
        let left = Mutex(times)
        let uploads = ResumableUploads(
            store: service.store, artifacts: service.artifacts, registered: {}
        ) { _, _ in
            let fails = left.withLock { left in
                left -= 1
                return left >= 0
            }
            if fails { throw error() }
            return nil
        }
        let record = try await uploads.create(.dataset, name: "d", length: 3)
        for _ in 0..<times {
            let part = try #require(try uploads.take(record))
            if part.offset == 0 { try Data("abc".utf8).withUnsafeBytes { try part.append($0) } }
            try await each(uploads, record.id, code { _ = try await uploads.complete(record, part) })
        }
        return (uploads, record.id)
    }

    @Test(arguments: [Problem.Category.unavailable, .rateLimited, .internal, .insufficientStorage, nil])
    func aLookThatTheServiceFailsDoesNotCount(category: Problem.Category?) async throws {
        let service = try Service()
        let (uploads, id) = try await end(service, times: 5) {
            guard let category else { return CancellationError() }
            return Problem(category, code: "failed", title: "", detail: "")
        } each: { uploads, id, code in
            #expect(code == (category == nil ? "CancellationError" : "failed"))
            let found = try await uploads.find(id)
            #expect(found.record.state == .receiving)
            #expect(found.offset == 3)
        }
        await uploads.finishInterrupted()
        #expect(try await uploads.find(id).record.state == .finished)
        try await service.remove()
    }

    /// The kernel ends a look for want of memory: the file may be the cause.
    @Test func aLookThatTheKernelEndsCounts() async throws {
        let service = try Service()
        let (uploads, id) = try await end(service, times: 3) {
            Problem(.internal, code: UploadChecker.outOfMemory, title: "", detail: "")
        } each: { uploads, id, _ in
            let found = try await uploads.find(id)
            #expect(found.record.state == .receiving)
        }
        await uploads.finishInterrupted()
        #expect(try await uploads.find(id).record.problem?.code == "upload-check-died")
        try await service.remove()
    }
}
