import ArtifactStore
import Findings
import Foundation
import JobQueue
import JobStore
import Logging
import Support
import Testing
import Workers

/// Jobs and imports on a disk that has no room above the floor: they wait and go on by themselves.
@Suite struct DiskTests {
    /// A service whose floor is `spare` bytes below what is free now.
    private func service(spare: Int) throws -> (queue: JobQueue, store: JobStore, artifacts: ArtifactStore) {
        let directory = NSTemporaryDirectory() + "burn-disk-" + UUID().uuidString
        let free = try ArtifactStore(directory: directory + "-probe", freeSpaceFloor: 0).freeBytes()
        try FileManager.default.removeItem(atPath: directory + "-probe")
        let artifacts = try ArtifactStore(directory: directory, freeSpaceFloor: max(0, free - spare))
        let store = try JobStore(path: directory + "/burn.sqlite")
        var supervision = WorkerSupervisor.Configuration()
        supervision.executable = Service.worker
        var configuration = JobQueue.Configuration()
        configuration.diskInterval = .milliseconds(20)
        configuration.pauseDelay = .milliseconds(20)
        configuration.retries = 0
        let queue = JobQueue(
            store: store, artifacts: artifacts, supervisor: try WorkerSupervisor(configuration: supervision),
            configuration: configuration,
            logger: Logger(label: "quiet", factory: { _ in SwiftLogNoOpLogHandler() }))
        return (queue, store, artifacts)
    }

    private func upload(_ text: String, _ artifacts: ArtifactStore) throws -> Blob {
        let upload = try artifacts.beginUpload(expectedBytes: text.utf8.count)
        try upload.write(Data(text.utf8))
        return try upload.commit()
    }

    @Test func aFullDiskPausesARunningJobAndRoomLetsItGoOn() async throws {
        let (queue, store, artifacts) = try service(spare: 2 << 30)
        try await queue.start()
        let model = try await queue.addModel(
            name: "m",
            blob: upload(
                """
                [probe]
                model-summary
                finished
                [job]
                phase boundary_analysis
                wait-once
                phase detection
                verdict
                finished
                """, artifacts))
        let dataset = try await queue.addDataset(
            name: "d", blob: upload("[import]\ndataset-summary\nfinished", artifacts))
        let job = try await queue.submit(JobRequest(type: .scan, model: model.id, dataset: dataset.id)).job
        func wait(_ condition: @escaping @Sendable (JobRecord) -> Bool) async throws -> JobRecord {
            try await store.wait(for: job.id, timeout: .seconds(60), until: condition) {
                try await store.job(job.id)
            }
        }
        _ = try await wait { !$0.phases.isEmpty }
        // Space that is reserved is not free. More than all of it: others use the disk, too.
        let ballast = artifacts.directory + "/ballast"
        let descriptor = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        #expect(posix_fallocate(descriptor, 0, off_t(try artifacts.freeBytes() + (512 << 20))) == 0)
        close(descriptor)
        let paused = try await wait { $0.paused != nil }
        #expect(paused.state == .queued && paused.attempt == 1)
        #expect(queue.isPausedByDisk)
        #expect(throws: Problem.self) { try artifacts.createPart("upl_more", length: 1 << 30) }
        let late = try await store.insertDataset(name: "late", blob: dataset.blob)
        #expect(try await queue.waitForDataset(late.id, timeout: .milliseconds(200)).state == .importing)
        try FileManager.default.removeItem(atPath: ballast)
        let done = try await wait { $0.state.isTerminal }
        #expect(done.state == .succeeded && done.attempt == 2 && done.phases.count == 2)
        #expect(try await queue.waitForDataset(late.id, timeout: .seconds(60)).state == .ready)
        await queue.shutdown()
        try store.close()
        try FileManager.default.removeItem(atPath: artifacts.directory)
    }

    @Test(arguments: ["fail insufficientStorage disk-full", "sparse-artifact large 10000000000000"])
    func wantOfRoomIsNoFailure(fault: String) async throws {
        let service = try Service {
            $0.retries = 0
            $0.pauseDelay = .milliseconds(10)
        }
        try await service.queue.start()

        let id = try await service.submit("phase boundary_analysis\n\(fault)")
        let job = try await service.job(id) { $0.attempt > 3 }
        #expect(job.problem == nil && !job.state.isTerminal)
        _ = try await service.queue.cancel(id)
        #expect(try await service.job(id).state == .cancelled)
        try await service.remove()
    }

    @Test func anImportWithoutRoomIsNotRejected() async throws {
        let service = try Service { $0.pauseDelay = .milliseconds(10) }
        try await service.queue.start()
        let id = try await service.dataset("full-once\ndataset-summary\nfinished")
        #expect(try await service.queue.waitForDataset(id, timeout: .seconds(60)).state == .ready)
        try await service.remove()
    }
}
