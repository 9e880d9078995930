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
    /// Between two probes, at first and at most.
    private static let pauses: (first: Duration, last: Duration) = (.seconds(2), .seconds(20))

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
    ///   is a state of the cluster that may pass, nor one that is too busy to answer soon: tasks wait then, and `/readyz` says
    ///   so.
    func check() async throws {
        if let problem = try await executor.checkSettings() {
            return logger.error("Slurm takes no task yet", metadata: ["problem": "\(problem)"])
        }
        let finding = await withTaskGroup(of: SlurmProbe.Finding?.self) { group in
            group.addTask { await probe() }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            let first = await group.next() ?? nil
            if first == nil { control.cancel() }
            group.cancelAll()
            return first
        }
        switch finding {
        case .works: break
        case nil:
            logger.warning(
                "the first task on the cluster still waits: jobs wait for it",
                metadata: ["reason": "\(executor.probeReason ?? "unknown")"])
        case .open(let problem):
            logger.error(
                "the first task on the cluster has shown nothing: jobs wait for another one",
                metadata: ["problem": "\(problem)"])
        case .wrong(var problem):
            if problem.category == .internal { problem.category = .unavailable }
            throw problem
        }
    }

    private func probe(control: WorkerControl? = nil) async -> SlurmProbe.Finding {
        let folder = directory + "/slurm-probe"
        // Of a probe that was interrupted.
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let finding = await SlurmProbe(executor, supervisor, folder: folder).run(
            control: control ?? self.control)
        if case .works = finding, let lack = executor.lack {
            logger.warning("workers are not fully confined on the cluster", metadata: ["missing": "\(lack)"])
            readiness.confinementFailed("on the cluster's nodes: \(lack)")
        }
        return finding
    }

    /// What is wrong still; nil where a task has shown that nodes can work. Before, it is asked whether Slurm takes tasks.
    private func retry(_ control: WorkerControl) async -> Problem? {
        do {
            if let problem = try await executor.checkSettings() { return problem }
        } catch let problem as Problem {
            return problem
        } catch { return nil }
        return await probe(control: control).problem
    }

    /// Probes until a task has shown that nodes can work.
    func run() async throws {
        let control = WorkerControl()
        let probing = Task {
            var pause = Self.pauses.first
            while executor.needsProbe, !Task.isCancelled {
                if let fault = await retry(control), !control.isCancelled {
                    logger.error("the cluster can't be used", metadata: ["problem": "\(fault)"])
                }
                guard executor.needsProbe else { break }
                // Ends with the task.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, Self.pauses.last)
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
