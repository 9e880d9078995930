import ArtifactStore
import Findings
import Foundation
import JobQueue
import JobStore
import Logging
import Workers

/// A whole service less its HTTP: real files, a real database, scripted workers as real child processes.
final class Service: Sendable {
    let directory: String
    let store: JobStore
    let artifacts: ArtifactStore
    let queue: JobQueue
    let supervision: WorkerSupervisor.Configuration
    let logger: Logger

    static var worker: String {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/ScriptedWorker"
    }

    init(
        _ directory: String? = nil, configure: (inout JobQueue.Configuration) -> Void = { _ in },
        supervise: (inout WorkerSupervisor.Configuration) -> Void = { _ in }
    ) throws {
        self.directory = directory ?? NSTemporaryDirectory() + "burn-queue-" + UUID().uuidString
        artifacts = try ArtifactStore(directory: self.directory, freeSpaceFloor: 0)
        store = try JobStore(path: self.directory + "/burn.sqlite")
        var supervision = WorkerSupervisor.Configuration()
        supervision.executable = Self.worker
        supervision.cancelGrace = .milliseconds(500)
        supervise(&supervision)
        self.supervision = supervision
        var configuration = JobQueue.Configuration()
        configuration.backoff = .milliseconds(10)
        configure(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
        queue = JobQueue(
            store: store, artifacts: artifacts, supervisor: try WorkerSupervisor(configuration: supervision),
            configuration: configuration, logger: logger)
    }

    func upload(_ text: String) throws -> Blob {
        let upload = try artifacts.beginUpload(expectedBytes: text.utf8.count)
        try upload.write(Data(text.utf8))
        return try upload.commit()
    }

    func model(_ job: String, probe: String = "model-summary\nfinished") async throws -> String {
        try await queue.addModel(name: "m", blob: upload("[probe]\n\(probe)\n[job]\n\(job)")).id
    }

    func dataset(_ script: String = "dataset-summary\nfinished") async throws -> String {
        try await queue.addDataset(name: "d", blob: upload("[import]\n" + script)).id
    }

    func submit(_ job: String) async throws -> String {
        let request = JobRequest(type: .purify, model: try await model(job), dataset: try await dataset())
        return try await queue.submit(request).job.id
    }

    /// The job as soon as `condition` holds, or it is finished.
    func job(_ id: String, when condition: @escaping @Sendable (JobRecord) -> Bool = { _ in false })
        async throws -> JobRecord
    {
        try await store.wait(for: id, timeout: .seconds(60)) {
            condition($0) || $0.state.isTerminal
        } read: { [store] in
            try await store.job(id)
        }
    }

    /// What the scripted worker did in the job's work directory.
    func journal(_ job: String) throws -> [String] {
        let path = directory + "/jobs/\(job)/work/journal"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    func end() async throws {
        await queue.shutdown()
        try store.close()
    }

    func remove() async throws {
        try await end()
        try FileManager.default.removeItem(atPath: directory)
    }
}
