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
    private let resources: SlurmSettings.Resources
    private let queue: SlurmQueue
    private var last: WorkerPlacement?
    /// Where it was that was too short for the queue to be seen there.
    private var ended: WorkerPlacement?

    init(
        name: String, command: WorkerCommand, processors: Int, resources: SlurmSettings.Resources,
        queue: SlurmQueue
    ) {
        self.name = name
        self.command = command
        self.processors = processors
        self.resources = resources
        self.queue = queue
        memoryBytes = resources.memoryBytes
        queue.enter(name)
    }

    deinit { queue.leave(name) }

    func news() -> WorkerPlacement? {
        guard let now = ended ?? queue.placement(of: name), now != last else { return nil }
        last = now
        return now
    }

    func conclude(isClean: Bool, status: WorkerStatus, words: String) -> WorkerExit? {
        // srun has ended its job already.
        if isClean {
            if last == nil { ended = queue.entries(named: name)?.last?.seen }
            return nil
        }
        guard let entry = end() else { return withoutJob(status, words) }
        return Self.exit(
            of: entry, status: status, minutes: resources.minutes, memoryBytes: resources.memoryBytes,
            words: words
        )
    }

    // MARK: Nothing is left

    /// How long a job may take to end that was cancelled.
    private static let patience: Duration = .seconds(20)

    /// Cancels what is left and waits for its end.
    /// - Returns: the job as it was before anything was cancelled here, or as it ended by itself; nil where Slurm has none of
    ///   the name, or does not answer. What appears of it later is ended by the queue's looks.
    private func end() -> SlurmQueue.Entry? {
        let deadline = ContinuousClock.now + Self.patience
        var found: SlurmQueue.Entry?
        while let entry = queue.entries(named: name)?.last {
            if entry.hasEnded { return found ?? entry }
            // Its own end is under way: what it was is known afterwards.
            if entry.state != "COMPLETING" {
                found = entry
                queue.cancel([entry.id])
            }
            guard .now < deadline else { return found ?? entry }
            usleep(200_000)
        }
        return found
    }

    // MARK: Causes

    /// - Parameter entry: the job; one that has not ended was cancelled here, since its srun had gone.
    static func exit(
        of entry: SlurmQueue.Entry, status: WorkerStatus, minutes: Int, memoryBytes: Int, words: String
    ) -> WorkerExit? {
        let place = "Slurm job \(entry.id)" + (entry.node.isEmpty ? "" : " on \(entry.node)")
        switch entry.state {
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
                    cause: "slurm_time_limit"))
        case "OUT_OF_MEMORY":
            return .lost(
                WorkerLoss(
                    Problem(
                        .unprocessable, code: "slurm-memory-limit",
                        title: "The task needs more memory than Slurm gives it",
                        detail:
                            "\(place) was ended by Slurm. The service asked for \(memoryBytes >> 20) MiB.",
                        location: "slurm.job_memory",
                        fix: "Raise slurm.job_memory (slurm.import_memory for an upload)."), .report,
                    cause: "slurm_memory_limit"))
        case "NODE_FAIL", "BOOT_FAIL":
            return .lost(
                WorkerLoss(
                    infrastructure(
                        "slurm-node-failed", "The node of the task failed",
                        "\(place) was lost: \(entry.state)."), .retry,
                    cause: "slurm_node_failed"))
        case "PREEMPTED", "REVOKED", "REQUEUED":
            return .lost(
                WorkerLoss(
                    infrastructure(
                        "slurm-preempted", "The task had to make room for another",
                        "\(place): \(entry.state)."), .wait,
                    cause: "slurm_preempted"))
        case "CANCELLED":
            return .lost(
                WorkerLoss(
                    Problem(
                        .conflict, code: "slurm-cancelled", title: "The task was cancelled on the cluster",
                        detail:
                            "\(place) was ended with scancel, or by a limit of the cluster (\(entry.reason)).",
                        fix:
                            "Ask the cluster's administrator why, then retry the job: it goes on from its last finished "
                            + "phase."), .report, cause: WorkerLoss.cancelled))
        default: break
        }
        // The worker ended by itself: srun says how, as a shell does. One that is told to stop kills the worker.
        if entry.hasEnded, case .exited(let code) = status, code > 128, code < 160,
            ![SIGKILL, SIGTERM].contains(code - 128) || entry.reason != "JobLaunchFailure"
        {
            return .crashed(signal: code - 128, log: words)
        }
        // It still ran, or waited, when its srun had gone.
        guard !entry.hasEnded || entry.reason == "JobLaunchFailure" else { return nil }
        return .lost(
            WorkerLoss(
                infrastructure(
                    "slurm-srun-ended", "The srun of the task ended before it",
                    "\(place) was \(entry.state) and was cancelled. \(lastWords(words))"), .retry,
                cause: "slurm_srun_ended"))
    }

    /// srun ended and Slurm knows of no job.
    private func withoutJob(_ status: WorkerStatus, _ words: String) -> WorkerExit? {
        if last != nil { return nil }
        return .lost(SlurmRefusal.loss(words: words, queue: queue))
    }

    private static func infrastructure(_ code: String, _ title: String, _ detail: String) -> Problem {
        Problem(.internal, code: code, title: title, detail: detail)
    }

    private static func lastWords(_ words: String) -> String {
        words.split(separator: "\n").last.map { "Last words: \(String($0).inOneLine)" } ?? ""
    }
}
