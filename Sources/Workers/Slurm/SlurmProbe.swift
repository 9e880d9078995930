import Foundation
import Support
import WorkerProtocol

/// Proves with one task that nodes see the data folder, have the worker's program with its libraries, and can confine it.
public struct SlurmProbe: Sendable {
    private let executor: SlurmExecutor
    private let supervisor: WorkerSupervisor
    /// On the file system that nodes share; made here, removed by whoever gives it.
    private let folder: String

    public init(_ executor: SlurmExecutor, _ supervisor: WorkerSupervisor, folder: String) {
        self.executor = executor
        self.supervisor = supervisor
        self.folder = folder
    }

    /// What a probe shows.
    public enum Finding: Sendable {
        case works
        /// Something is wrong with the settings or with a node.
        case wrong(Problem)
        /// It came to no end, or to one that says nothing of the nodes: another one may.
        case open(Problem)

        public var problem: Problem? {
            switch self {
            case .works: nil
            case .wrong(let problem), .open(let problem): problem
            }
        }
    }

    /// Runs it to its end, however long the task waits in Slurm's queue.
    /// - Returns: also known to the executor, which takes no other task before one has shown that nodes work.
    public func run(control: WorkerControl = WorkerControl()) async -> Finding {
        var finding = await attempt(control, isStrict: true)
        // Where less is accepted, it is said what is missing.
        if case .wrong(let lack) = finding, lack.location == "sandbox",
            supervisor.configuration.sandbox == .preferred
        {
            finding = await attempt(control, isStrict: false)
            if case .works = finding { executor.setLack(lack.detail) }
        }
        // One that was stopped says nothing.
        if !control.isCancelled { executor.setFault(finding.problem) }
        return finding
    }

    private func attempt(_ control: WorkerControl, isStrict: Bool) async -> Finding {
        let token = UUID().uuidString
        let input = folder + "/token"
        let output = folder + "/out"
        do {
            try FileManager.default.createDirectory(
                atPath: output, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try DurableFile.write(Data(token.utf8), to: input, permissions: 0o600)
        } catch { return Self.fault("\(error)", "data", "Let the service write into its data folder.") }
        let task = WorkerTask(
            kind: .checkNode(.init(token: input, isStrict: isStrict)), outputDirectory: output)
        let exit = await supervisor.run(task, for: executor.nextProbe(), control: control) { _ in }
        switch exit {
        case .finished: break
        case .lost(let loss): return Self.finding(of: loss)
        case .cancelled: return .open(Self.stopped)
        // Rules for folders that are not there.
        case .failed(let problem)
        where problem.code == "worker-confinement" && problem.detail.hasSuffix("No such file or directory"):
            return Self.fault(
                "A node does not see the data folder: \(problem.detail)", "data",
                "Put `data` on a file system that all nodes mount at the same path, for the same user.")
        case .failed(let problem) where problem.code == "worker-confinement":
            return Self.fault(
                "A node cannot confine workers. \(problem.detail)", "sandbox",
                "Give the nodes a kernel with landlock and seccomp, leave such nodes out (slurm.constraint), or accept less: "
                    + "sandbox: preferred.")
        case .failed(let problem) where problem.code == "node-blind":
            return Self.fault(
                "A node does not see the data folder: \(problem.detail)", "data",
                "Put `data` on a file system that all nodes mount at the same path, for the same user.")
        default: return Self.fault(of: exit, executable: supervisor.executable)
        }
        guard FileManager.default.contents(atPath: output + "/token") == Data(token.utf8) else {
            return Self.fault(
                "What the worker on a node wrote into \(output) is not there.", "data",
                "Put `data` on a file system that all nodes mount at the same path, for the same user.")
        }
        return .works
    }

    /// What Slurm or somebody there ended says nothing of the nodes; a refusal or a limit is a matter of the settings.
    private static func finding(of loss: WorkerLoss) -> Finding {
        var problem = loss.problem
        problem.category = .unavailable
        let isOpen = loss.remedy != .report && loss.problem.code != "slurm-refused"
        return isOpen || loss.remedy == .wait || loss.cause == WorkerLoss.cancelled
            ? .open(problem) : .wrong(problem)
    }

    private static let stopped = Problem(
        .unavailable, code: "slurm-probe-stopped", title: "The first task on the cluster was stopped",
        detail: "It did not come to its end.", location: "executor", fix: "Wait: there is another one.")

    /// Of a worker that did not come as far as a message.
    private static func fault(of exit: WorkerExit, executable: String) -> Finding {
        let detail = exit.problem?.detail ?? "\(exit)"
        if detail.contains("error while loading shared libraries") || detail.contains("version `GLIBC") {
            return fault(
                detail, "worker",
                "Install on the nodes what burn-worker needs, or put its folder with its libraries on the "
                    + "shared file system: ldd \(executable), on a node, says what is missing.")
        }
        if detail.contains("DecodingError") {
            return fault(
                "The worker there does not understand the service: \(detail)", "worker",
                "Install the same version of burnd and burn-worker on the head and on the nodes.")
        }
        if detail.contains("execve()") || detail.contains("No such file")
            || detail.contains("Permission denied")
        {
            return fault(
                detail, "worker",
                "Put burn-worker where nodes see it at the same path, \(executable), or name such a path with worker."
            )
        }
        return fault(
            detail, "executor", "Try what the service does, as its user: srun --ntasks=1 \(executable)")
    }

    private static func fault(_ detail: String, _ location: String, _ fix: String) -> Finding {
        .wrong(
            Problem(
                .unavailable, code: "slurm-probe-failed", title: "Workers can't work on the cluster's nodes",
                detail: detail, location: location, fix: fix))
    }
}
