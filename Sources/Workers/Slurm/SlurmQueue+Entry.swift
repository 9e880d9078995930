import WorkerProtocol

extension SlurmQueue {
    /// A job in `squeue`'s words.
    struct Entry: Hashable, Sendable {
        var id: Int
        var state: String
        var reason: String
        var node: String
        var name: String

        /// The name last: it may hold anything.
        static let format = "%A|%T|%r|%N|%j"

        init?(_ line: Substring) {
            let fields = line.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false).map(
                String.init)
            guard fields.count == 5, let id = Int(fields[0]) else { return nil }
            self.id = id
            (state, reason, node, name) = (fields[1], fields[2], fields[3], fields[4])
        }

        /// Whether it neither waits nor runs nor will again.
        var hasEnded: Bool {
            ![
                "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING",
                "STOPPED",
                "RESIZING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD",
            ]
            .contains(state)
        }

        /// Its processes have ended or are being ended; its node has not said so yet, or cleans up after it.
        var isCompleting: Bool { state == "COMPLETING" }

        /// Stopped for a while, by an administrator or to let others have the node in turn.
        var isSuspended: Bool { state == "SUSPENDED" || state == "STOPPED" }

        /// How it ended, where that is known: of one that is completing, Slurm tells the reason before the state.
        var end: String? {
            if hasEnded { return state }
            guard isCompleting else { return nil }
            return switch reason {
            case "TimeLimit": "TIMEOUT"
            case "OutOfMemory": "OUT_OF_MEMORY"
            case "NodeDown": "NODE_FAIL"
            default: nil
            }
        }

        /// Whether nothing but Slurm ended it.
        var wasEndedBySlurm: Bool {
            ["TIMEOUT", "DEADLINE", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED"].contains(end)
        }

        /// Whether its step was told to end, by srun or by the node.
        var isToldToEnd: Bool { reason == "JobLaunchFailure" }

        /// Where it ran, also when it has ended.
        var seen: WorkerPlacement {
            WorkerPlacement(job: id, state: .running, node: node.isEmpty ? nil : node)
        }

        var placement: WorkerPlacement? {
            switch state {
            case "PENDING", "CONFIGURING":
                WorkerPlacement(job: id, state: .pending, reason: reason == "None" ? nil : reason)
            case "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED":
                WorkerPlacement(
                    job: id, state: .running, reason: isSuspended ? "Suspended" : nil,
                    node: node.isEmpty ? nil : node)
            default: nil
            }
        }
    }

    /// What is known of a name.
    enum Answer: Sendable {
        /// The last job of the name.
        case job(Entry)
        /// Slurm has none.
        case none
        /// It could not be asked, and why.
        case unknown(String)
    }
}
