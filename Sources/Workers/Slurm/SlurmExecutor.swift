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
        /// When the nodes were read; nil where they were not yet.
        public var nodesAt: Date?
        /// Why no task is handed over; nil where they are.
        public var obstacle: Problem?
    }

    private struct State {
        /// What the probe found wrong; nil once it has found nothing.
        var fault: Problem? = SlurmExecutor.notProbed
        /// What nodes lack to confine workers with, where that is accepted.
        var lack: String?
        var probes = 0
    }

    public let settings: SlurmSettings
    let commands: SlurmCommands
    let queue: SlurmQueue
    let nodes: SlurmNodes
    private let state = Mutex(State())
    /// Of this run of the service: another one's probe is not taken for its own.
    private let probe = "probe-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)

    /// - Parameters:
    ///   - instance: names the service among others on the cluster; see `SlurmInstance`.
    ///   - report: told when Slurm takes no tasks any more, and with nil when it does again.
    /// - Throws: `Problem` `slurm-not-found`.
    public init(
        _ settings: SlurmSettings, instance: String, report: @escaping @Sendable (Problem?) -> Void = { _ in }
    ) throws {
        self.settings = settings
        commands = try SlurmCommands(settings)
        nodes = SlurmNodes(commands: commands, partition: settings.partition)
        queue = SlurmQueue(commands: commands, nodes: nodes, prefix: "burn-\(instance)-", report: report)
    }

    /// Looks at Slurm's queue from now on, and ends what an earlier run of the service left there.
    public func open() { queue.open() }

    public func close() { queue.close() }

    public var mostTasks: Int? { settings.tasks }

    public var isRemote: Bool { true }

    public var obstacle: Problem? {
        if let obstacle = queue.obstacle { return obstacle }
        guard var fault = state.withLock({ $0.fault }) else { return nil }
        if let reason = probeReason {
            fault.detail +=
                fault.code == Self.notProbed.code
                ? " It waits: \(reason)." : " The next one waits: \(reason)."
        }
        return fault
    }

    /// Whether no task has shown yet that nodes can work.
    public var needsProbe: Bool { state.withLock { $0.fault != nil } }

    /// Why the probe waits in Slurm's queue, where it does.
    public var probeReason: String? {
        let label = WorkerLabel(id: probe, attempt: state.withLock { $0.probes })
        return queue.placement(of: queue.name(label)).flatMap { $0.state == .pending ? $0.reason : nil }
    }

    /// What the next probe is named by.
    func nextProbe() -> WorkerLabel {
        state.withLock { state in
            state.probes += 1
            return WorkerLabel(id: probe, attempt: state.probes)
        }
    }

    func setFault(_ problem: Problem?) { state.withLock { $0.fault = problem } }

    /// What a node was found to lack to confine workers with, where that is accepted.
    public var lack: String? { state.withLock { $0.lack } }

    func setLack(_ detail: String) { state.withLock { $0.lack = detail } }

    private static let notProbed = Problem(
        .unavailable, code: "slurm-starting", title: "The cluster was not probed yet",
        detail: "A first task on a node is to show that it can work there.", location: "executor",
        fix: "Wait. If it stays, look at squeue for what the task named “probe” waits for.")

    public func scarce(for task: WorkerTask) -> Set<TaskResource> {
        guard task.isComputation else { return [] }
        let (given, most) = (settings.request(for: task), settings.job)
        return Set(
            TaskResource.allCases.filter { resource in
                switch resource {
                case .memory: given.memoryBytes < most.memoryBytes
                case .time: given.minutes < most.minutes
                }
            })
    }

    public func prepare(_ task: WorkerTask, for label: WorkerLabel, worker: WorkerCommand) throws
        -> any WorkerRun
    {
        if !task.isForCluster { return LocalRun(command: worker) }
        return run(task, name: queue.name(label), worker)
    }

    private func run(_ task: WorkerTask, name: String, _ worker: WorkerCommand) -> SlurmRun {
        let request = settings.request(for: task)
        var options = settings.options(request)
        options += ["--job-name=\(name)"] + Self.fixed
        // Behind the jobs that wait for a node.
        if case .help = task.kind { options.append("--nice=\(Self.helperNice)") }
        let variables = worker.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        options.append("--export=" + (variables.isEmpty ? "NONE" : variables.joined(separator: ",")))
        let command = WorkerCommand(
            executable: commands.path("srun"), arguments: options + [worker.executable] + worker.arguments,
            environment: commands.environment, signalOfDeath: SIGTERM)
        return SlurmRun(
            name: name, command: command, request: request, scarce: scarce(for: task), queue: queue,
            nodes: nodes)
    }

    private static let helperNice = 1_000

    /// The pipes as they are; nothing of this process's limits or folder; one task that is over when it is over.
    private static let fixed = [
        "--unbuffered", "--quiet", "--propagate=NONE", "--mpi=none", "--chdir=/", "--kill-on-bad-exit=1",
    ]

    // MARK: What it looks like there

    /// As it was last seen.
    public var status: Status {
        let (tasks, seen) = (tasks, nodes.seen)
        return Status(
            pending: tasks.pending, running: tasks.running, nodes: seen?.nodes ?? [], nodesAt: seen?.at,
            obstacle: obstacle)
    }

    /// Tasks there by their state, as they were last seen.
    public var tasks: (pending: Int, running: Int) {
        let placements = queue.placements
        return (placements.count { $0.state == .pending }, placements.count { $0.state == .running })
    }

    // MARK: The check at the start

    /// Asks whether a task of each kind could ever be started, without starting one.
    /// - Returns: a state of the cluster in which that can't be said, and which may pass; nil where they could. No task is
    ///   handed over in such a state.
    /// - Throws: `Problem` `slurm-refused` (malformed), which names the setting.
    public func checkSettings() async throws -> Problem? {
        try await withCheckedThrowingContinuation { continuation in
            OwnThread.run("burn.slurm-check") { [self] in
                continuation.resume(with: Result { try checkSettingsBlocking() })
            }
        }
    }

    private func checkSettingsBlocking() throws -> Problem? {
        for resources in Set([settings.job, settings.importing]) {
            let output = commands.run(
                "srun",
                settings.options(settings.request(resources)) + [
                    "--test-only", "--quiet", "--mpi=none", "/bin/true",
                ])
            guard !output.isSuccess else { continue }
            var problem = SlurmRefusal.problem(words: output.errors)
            problem.category = .unavailable
            setFault(problem)
            if problem.code == "slurm-unavailable" || mayPass(output.errors, resources) { return problem }
            problem.category = .malformed
            throw problem
        }
        state.withLock { state in
            // What a probe found stays until another one.
            if let code = state.fault?.code, ["slurm-refused", "slurm-unavailable"].contains(code) {
                state.fault = Self.notProbed
            }
        }
        return nil
    }

    /// Nodes that are drained don't count for srun, so that it says the same as of nodes that there are none of.
    private func mayPass(_ words: String, _ resources: SlurmSettings.Resources) -> Bool {
        SlurmRefusal.passes(words)
            || SlurmRefusal.isOfNodes(words)
                && nodes.isAbsent(processors: settings.processors, memoryBytes: resources.memoryBytes)
    }
}

extension WorkerTask {
    /// Whether it is long enough to be sent away.
    var isForCluster: Bool {
        switch kind {
        case .probeModel, .importDataset, .agreement, .analyse, .help, .train, .evaluate, .perturb,
            .checkNode:
            true
        case .checkUpload, .render, .thumbnails: false
        }
    }
}
