import API
import Foundation
import Logging
import ServiceLifecycle
import Support
import Workers

/// The service's side of a Slurm cluster: what is checked at the start, and what goes on while it runs.
struct Cluster: Service {
    let executor: SlurmExecutor
    private let supervisor: WorkerSupervisor
    /// The data folder.
    private let directory: String
    private let readiness: Readiness
    private let logger: Logger
    /// Cancelled when the service stops: a probe may wait for long.
    private let control = WorkerControl()

    /// How long the start waits for the first task.
    private static let patience: Duration = .seconds(20)
    /// Between two probes.
    private static let pause: Duration = .seconds(20)

    init(
        _ executor: SlurmExecutor, _ supervisor: WorkerSupervisor, in directory: String,
        _ readiness: Readiness,
        logger: Logger
    ) {
        self.executor = executor
        self.supervisor = supervisor
        self.directory = directory
        self.readiness = readiness
        self.logger = logger
    }

    static func executor(
        _ configuration: Configuration, in folder: String, logger: Logger
    ) throws -> SlurmExecutor? {
        guard configuration.executor == .slurm else { return nil }
        return try SlurmExecutor(configuration.slurm, instance: SlurmInstance.name(in: folder)) { obstacle in
            if let obstacle {
                logger.error("tasks wait: \(obstacle.title)", metadata: ["detail": "\(obstacle.detail)"])
            } else {
                logger.notice("Slurm's controller answers")
            }
        }
    }

    /// - Throws: `Problem` where the settings or the nodes are wrong. A controller that does not answer is none, and neither
    ///   is a cluster that is too busy to answer soon: tasks wait then, and `/readyz` says so.
    func check() async throws {
        do { try executor.checkSettings() } catch let problem as Problem
            where problem.code == "slurm-unavailable"
        {
            return logger.error("Slurm can't be asked yet", metadata: ["detail": "\(problem.detail)"])
        }
        let fault = await withTaskGroup(of: Problem??.self) { group in
            group.addTask { await probe() }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return .none
            }
            let first = await group.next() ?? .none
            if first == nil { control.cancel() }
            group.cancelAll()
            return first
        }
        guard let fault else {
            return logger.warning(
                "the first task on the cluster still waits: jobs wait for it",
                metadata: ["reason": "\(executor.probeReason ?? "unknown")"])
        }
        guard var problem = fault else { return }
        guard problem.code != "slurm-unavailable" else { return }
        if problem.category == .internal { problem.category = .unavailable }
        throw problem
    }

    /// - Returns: what is wrong; nil where nothing is.
    private func probe(control: WorkerControl? = nil) async -> Problem? {
        let folder = directory + "/slurm-probe"
        // Of a probe that was interrupted.
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let fault = await SlurmProbe(executor, supervisor, folder: folder).run(
            control: control ?? self.control)
        if fault == nil, let lack = executor.lack {
            logger.warning("workers are not fully confined on the cluster", metadata: ["missing": "\(lack)"])
            readiness.confinementFailed("on the cluster's nodes: \(lack)")
        }
        return fault
    }

    /// Probes until a task has shown that nodes can work.
    func run() async throws {
        let control = WorkerControl()
        let probing = Task {
            while executor.needsProbe, !Task.isCancelled {
                if let fault = await probe(control: control), !control.isCancelled {
                    logger.error("the cluster can't be used", metadata: ["problem": "\(fault)"])
                }
                if executor.needsProbe { try? await Task.sleep(for: Self.pause) }
            }
            if !executor.needsProbe {
                logger.notice("a task on the cluster has shown that it can work there")
            }
        }
        try await gracefulShutdown()
        control.cancel()
        probing.cancel()
        await probing.value
        executor.close()
    }
}
