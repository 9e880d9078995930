import Foundation
import Support
import WorkerProtocol

/// One task on the cluster: its srun here, its job there.
final class SlurmRun: WorkerRun {
    let command: WorkerCommand
    let isLocal = false
    let memoryBytes: Int?
    let processors: Int?

    private let name: String
    private let request: WorkerPlacement.Request
    /// What it was given less of than it may have.
    private let scarce: Set<TaskResource>
    private let queue: SlurmQueue
    private let nodes: SlurmNodes
    private let patience: Patience
    private var last: WorkerPlacement?
    /// Where it was that was too short for the queue to be seen there.
    private var ended: WorkerPlacement?

    init(
        name: String, command: WorkerCommand, request: WorkerPlacement.Request,
        scarce: Set<TaskResource> = [],
        queue: SlurmQueue, nodes: SlurmNodes, patience: Patience = Patience()
    ) {
        self.name = name
        self.command = command
        processors = request.processors
        self.request = request
        self.scarce = scarce
        self.queue = queue
        self.nodes = nodes
        self.patience = patience
        memoryBytes = request.memoryBytes
        queue.enter(name)
    }

    deinit { queue.leave(name) }

    func news() -> WorkerPlacement? {
        guard var now = ended ?? queue.placement(of: name) else { return nil }
        now.request = request
        guard now != last else { return nil }
        last = now
        return now
    }

    var isSuspended: Bool? { queue.isSuspended(name) }

    func conclude(_ end: WorkerEnd, isCancelled: () -> Bool) -> WorkerExit? {
        // srun has ended its job already.
        if end.knowledge == .complete {
            if last == nil, case .job(let entry) = queue.answer(on: name) { ended = entry.seen }
            return nil
        }
        switch waitForEnd(end.knowledge, isCancelled) {
        case .none: return withoutJob(end)
        case .unknown(let reason):
            return end.knowledge == .decided ? nil : .lost(SlurmRefusal.silence(reason, queue: queue))
        case .job(let entry):
            if last == nil, !entry.node.isEmpty { ended = entry.seen }
            if end.knowledge == .silent, entry.end == nil, !entry.node.isEmpty,
                let state = nodes.failure(of: entry.node)
            {
                return .lost(
                    Self.nodeFailure("\(Self.place(entry)) gave no sign of life: the node is \(state)."))
            }
            let exit = Self.exit(
                of: entry, status: end.status, minutes: request.minutes, memoryBytes: request.memoryBytes,
                words: end.words)
            guard case .lost(var loss) = exit, let limit = Self.limits[loss.cause], scarce.contains(limit)
            else {
                return exit
            }
            loss.remedy = .enlarge
            return .lost(loss)
        }
    }

    /// Causes that more of something mends.
    private static let (timeLimit, memoryLimit) = ("slurm_time_limit", "slurm_memory_limit")
    private static let limits = [timeLimit: TaskResource.time, memoryLimit: .memory]

    // MARK: Nothing is left

    /// How long a task's end is waited for, by the thread that has nothing else to do.
    struct Patience {
        /// Of a job that was cancelled here, or whose result is known anyway.
        var short: Duration = .seconds(20)
        /// Of one that ends by itself: a node's epilog, or a node that has to be given up first, may take minutes. Also for a
        /// controller that does not answer.
        var long: Duration = .seconds(600)
    }

    /// Cancels what is left and waits for its end.
    /// - Returns: the job as it was before anything was cancelled here, or as it ended by itself. What appears of it later is
    ///   ended by the queue's looks.
    private func waitForEnd(_ knowledge: WorkerEnd.Knowledge, _ isCancelled: () -> Bool) -> SlurmQueue.Answer
    {
        let begin = ContinuousClock.now
        var alive: SlurmQueue.Entry?
        while true {
            let answer = queue.answer(on: name)
            switch answer {
            // It was there before, or it never was.
            case .none: return alive.map { .job($0) } ?? .none
            case .unknown:
                if knowledge == .decided || isCancelled() { return answer }
            case .job(let entry):
                if entry.end != nil { return .job(entry.wasEndedBySlurm ? entry : alive ?? entry) }
                if !entry.isCompleting {
                    alive = alive ?? entry
                    queue.end(entry.id)
                }
            }
            let isShort = alive != nil || knowledge == .decided || isCancelled()
            let waited = ContinuousClock.now - begin
            if waited >= (isShort ? patience.short : patience.long) {
                return alive.map { .job($0) } ?? answer
            }
            usleep(waited < .seconds(5) ? 200_000 : 1_000_000)
        }
    }

    // MARK: Causes

    /// - Parameter entry: the job; one that waits or runs was cancelled here, since its srun had gone.
    static func exit(
        of entry: SlurmQueue.Entry, status: WorkerStatus, minutes: Int, memoryBytes: Int, words: String
    ) -> WorkerExit? {
        let place = place(entry)
        switch entry.end {
        case "TIMEOUT", "DEADLINE":
            return .lost(
                WorkerLoss(
                    Problem(
                        .unprocessable, code: "slurm-time-limit",
                        title: "The task needs more time than Slurm gives it",
                        detail: "\(place) was ended by Slurm. The service asked for \(minutes) minutes.",
                        location: "slurm.job_minutes",
                        fix:
                            "Raise slurm.job_minutes (slurm.import_minutes for an upload), within the partition's limit; "
                            + "a job that is tried again goes on from its last finished phase."), .report,
                    cause: timeLimit, explainsSilence: true))
        case "OUT_OF_MEMORY": return .lost(memoryExceeded(place, memoryBytes))
        // Where a node has no control groups, its daemon counts (JobAcctGatherParams=OverMemoryKill), kills the step, and
        // leaves it at that.
        case "FAILED" where entry.isToldToEnd && words.contains("exceeded memory limit"):
            return .lost(memoryExceeded(place, memoryBytes))
        case "NODE_FAIL", "BOOT_FAIL":
            return .lost(nodeFailure("\(place) was lost: \(entry.end ?? entry.state)."))
        case "PREEMPTED", "REVOKED", "REQUEUED":
            return .lost(
                WorkerLoss(
                    infrastructure(
                        "slurm-preempted", "The task had to make room for another",
                        "\(place): \(entry.state)."), .wait,
                    cause: "slurm_preempted", explainsSilence: true))
        default: return exit(byItself: entry, place, status, words)
        }
    }

    /// - Parameter entry: one that nobody ended but itself, its srun, or somebody with scancel.
    private static func exit(
        byItself entry: SlurmQueue.Entry, _ place: String, _ status: WorkerStatus, _ words: String
    ) -> WorkerExit? {
        // An srun that is killed takes its job with it.
        guard case .exited(let code) = status, entry.hasEnded || entry.isCompleting else {
            return .lost(srunEnded("\(place) was \(entry.state) and was cancelled. \(lastWords(words))"))
        }
        if entry.state == "CANCELLED" {
            return .lost(
                WorkerLoss(
                    Problem(
                        .conflict, code: "slurm-cancelled", title: "The task was cancelled on the cluster",
                        detail:
                            "\(place) was ended with scancel, or by a limit of the cluster (\(entry.reason)).",
                        fix:
                            "Ask the cluster's administrator why, then retry the job: it goes on from its last finished "
                            + "phase."), .report, cause: WorkerLoss.cancelled))
        }
        // One that is told to stop kills the worker.
        let crash = crash(code, words)
        guard entry.isToldToEnd, crash == nil || [SIGKILL, SIGTERM].contains(code - 128) else { return crash }
        return .lost(srunEnded("\(place) was \(entry.state). \(lastWords(words))"))
    }

    private static func place(_ entry: SlurmQueue.Entry) -> String {
        "Slurm job \(entry.id)" + (entry.node.isEmpty ? "" : " on \(entry.node)")
    }

    private static func nodeFailure(_ detail: String) -> WorkerLoss {
        WorkerLoss(
            infrastructure("slurm-node-failed", "The node of the task failed", detail), .retry,
            cause: "slurm_node_failed", explainsSilence: true)
    }

    private static func memoryExceeded(_ place: String, _ bytes: Int) -> WorkerLoss {
        WorkerLoss(
            Problem(
                .unprocessable, code: "slurm-memory-limit",
                title: "The task needs more memory than Slurm gives it",
                detail: "\(place) was ended by Slurm. The service asked for \(bytes >> 20) MiB.",
                location: "slurm.job_memory",
                fix: "Raise slurm.job_memory (slurm.import_memory for an upload)."), .report,
            cause: memoryLimit, explainsSilence: true)
    }

    private static func srunEnded(_ detail: String) -> WorkerLoss {
        WorkerLoss(
            infrastructure("slurm-srun-ended", "The srun of the task ended before it", detail), .retry,
            cause: "slurm_srun_ended")
    }

    /// srun ended and Slurm knows of no job, or no more.
    private func withoutJob(_ end: WorkerEnd) -> WorkerExit? {
        guard end.knowledge == .open else { return nil }
        guard case .exited(let code) = end.status else {
            let place = last.map { "Slurm job \($0.job)" } ?? "The task"
            return .lost(Self.srunEnded("\(place) is not known to Slurm. \(Self.lastWords(end.words))"))
        }
        if last == nil { return .lost(SlurmRefusal.loss(words: end.words, queue: queue)) }
        return Self.crash(code, end.words)
    }

    /// srun says how the worker ended, as a shell does.
    private static func crash(_ code: Int32, _ words: String) -> WorkerExit? {
        code > 128 && code < 160 ? .crashed(signal: code - 128, log: words) : nil
    }

    private static func infrastructure(_ code: String, _ title: String, _ detail: String) -> Problem {
        Problem(.internal, code: code, title: title, detail: detail)
    }

    private static func lastWords(_ words: String) -> String {
        words.split(separator: "\n").last.map { "Last words: \(String($0).inOneLine)" } ?? ""
    }
}
