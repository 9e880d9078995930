import Foundation
import Support
import WorkerProtocol

/// Workers are tasks of a Slurm cluster: each is an `srun` here, whose pipes Slurm carries to the node.
///
/// Uploads are looked at and pictures drawn here, beside the service: somebody waits for them.
public final class SlurmExecutor: WorkerExecutor {
    /// What an operator looks at first.
    public struct Status: Sendable {
        public struct Nodes: Sendable {
            public var partition, state: String
            public var count: Int
        }

        public var pending, running: Int
        public var nodes: [Nodes]
        /// Why no task is handed over; nil where they are.
        public var obstacle: Problem?
    }

    private struct State {
        /// What the probe found wrong; nil once it has found nothing.
        var fault: Problem? = SlurmExecutor.notProbed
        /// What nodes lack to confine workers with, where that is accepted.
        var lack: String?
        var nodes: (found: [Status.Nodes], at: ContinuousClock.Instant)?
    }

    public let settings: SlurmSettings
    let commands: SlurmCommands
    let queue: SlurmQueue
    private let state = Mutex(State())
    /// Between two looks at the nodes.
    private static let nodesPause: Duration = .seconds(10)

    /// - Parameters:
    ///   - instance: names the service among others on the cluster; see `SlurmInstance`.
    ///   - report: told when Slurm takes no tasks any more, and with nil when it does again.
    /// - Throws: `Problem` `slurm-not-found`.
    public init(
        _ settings: SlurmSettings, instance: String, report: @escaping @Sendable (Problem?) -> Void = { _ in }
    ) throws {
        self.settings = settings
        commands = try SlurmCommands(settings)
        queue = SlurmQueue(commands: commands, prefix: "burn-\(instance)-", report: report)
    }

    /// Looks at Slurm's queue from now on, and ends what an earlier run of the service left there.
    public func open() { queue.open() }

    public func close() { queue.close() }

    public var mostTasks: Int? { settings.tasks }

    public var isRemote: Bool { true }

    public var obstacle: Problem? {
        if let obstacle = queue.obstacle { return obstacle }
        guard var fault = state.withLock({ $0.fault }) else { return nil }
        if fault.code == Self.notProbed.code, let reason = probeReason {
            fault.detail += " It waits: \(reason)."
        }
        return fault
    }

    /// Whether no task has shown yet that nodes can work.
    public var needsProbe: Bool { state.withLock { $0.fault != nil } }

    /// Why the probe waits in Slurm's queue, where it does.
    public var probeReason: String? {
        queue.placement(of: "\(queue.prefix)probe-1").flatMap { $0.state == .pending ? $0.reason : nil }
    }

    /// - Parameter problem: a probe that was stopped says nothing of the nodes.
    func setFault(_ problem: Problem?) { state.withLock { $0.fault = problem } }

    /// What a node was found to lack to confine workers with, where that is accepted.
    public var lack: String? { state.withLock { $0.lack } }

    func setLack(_ detail: String) { state.withLock { $0.lack = detail } }

    private static let notProbed = Problem(
        .unavailable, code: "slurm-starting", title: "The cluster was not probed yet",
        detail: "A first task on a node is to show that it can work there.", location: "executor",
        fix: "Wait. If it stays, look at squeue for what the task named “probe” waits for.")

    public func prepare(_ task: WorkerTask, for label: WorkerLabel, worker: WorkerCommand) throws
        -> any WorkerRun
    {
        if !task.isForCluster { return LocalRun(command: worker) }
        return run(task, name: "\(label.id)-\(label.attempt)", worker)
    }

    private func run(_ task: WorkerTask, name: String, _ worker: WorkerCommand) -> SlurmRun {
        let resources = task.isComputation ? settings.job : settings.importing
        let name = queue.prefix + name
        var options = settings.request(resources)
        options += ["--job-name=\(name)"] + Self.fixed
        let variables = worker.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        options.append("--export=" + (variables.isEmpty ? "NONE" : variables.joined(separator: ",")))
        let command = WorkerCommand(
            executable: commands.path("srun"), arguments: options + [worker.executable] + worker.arguments,
            environment: commands.environment, signalOfDeath: SIGTERM)
        return SlurmRun(
            name: name, command: command, processors: settings.processors, resources: resources, queue: queue)
    }

    /// The pipes as they are; nothing of this process's limits or folder; one task that is over when it is over.
    private static let fixed = [
        "--unbuffered", "--quiet", "--propagate=NONE", "--mpi=none", "--chdir=/", "--kill-on-bad-exit=1",
    ]

    // MARK: What it looks like there

    /// Asks the controller, at most every 10 s. Blocks.
    public func status() -> Status {
        let placements = queue.placements
        return Status(
            pending: placements.count { $0.state == .pending },
            running: placements.count { $0.state == .running },
            nodes: nodes(), obstacle: obstacle)
    }

    /// Tasks there by their state, as they were last seen.
    public var tasks: (pending: Int, running: Int) {
        let placements = queue.placements
        return (placements.count { $0.state == .pending }, placements.count { $0.state == .running })
    }

    private func nodes() -> [Status.Nodes] {
        if let known = state.withLock({ $0.nodes }), .now - known.at < Self.nodesPause { return known.found }
        var arguments = ["--noheader", "--format=%P|%T|%D"]
        if let partition = settings.partition { arguments.append("--partition=\(partition)") }
        guard queue.obstacle?.code != "slurm-unavailable" else { return [] }
        let output = commands.run("sinfo", arguments)
        let found = output.text.split(separator: "\n").compactMap { line -> Status.Nodes? in
            let fields = line.split(separator: "|").map(String.init)
            guard fields.count == 3, let count = Int(fields[2]) else { return nil }
            return Status.Nodes(partition: fields[0], state: fields[1], count: count)
        }
        state.withLock { $0.nodes = (found, .now) }
        return found
    }

    // MARK: The check at the start

    /// Asks whether a task of each kind could ever be started, without starting one.
    /// - Throws: `Problem` `slurm-refused` (malformed), which names the setting; `slurm-unavailable` (internal).
    public func checkSettings() throws {
        for resources in Set([settings.job, settings.importing]) {
            let output = commands.run(
                "srun", settings.request(resources) + ["--test-only", "--quiet", "--mpi=none", "/bin/true"])
            guard !output.isSuccess else { continue }
            var problem = SlurmRefusal.problem(words: output.errors)
            if problem.code == "slurm-refused" { problem.category = .malformed }
            throw problem
        }
    }
}

extension WorkerTask {
    /// Whether it is long enough to be sent away.
    var isForCluster: Bool {
        switch kind {
        case .probeModel, .importDataset, .agreement, .analyse, .train, .evaluate, .perturb, .checkNode: true
        case .checkUpload, .render, .thumbnails: false
        }
    }
}
