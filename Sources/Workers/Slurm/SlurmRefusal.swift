import Support

/// Why srun was given no allocation, from its own words.
enum SlurmRefusal {
    /// What srun says, which setting it is about, what to do.
    private static let settings: [(words: [String], setting: String, fix: String)] = [
        (
            ["invalid partition", "Requested partition configuration not available"], "slurm.partition",
            "Name a partition that `sinfo` shows and that the service's user may use."
        ),
        (
            ["Invalid account"], "slurm.account",
            "Name an account that the service's user has: sacctmgr show associations user=USER."
        ),
        (
            ["MaxSubmit", "submit job limit"], "slurm.tasks",
            "Lower slurm.tasks below the account's limit of submitted jobs."
        ),
        (["Invalid qos", "QOS policy"], "slurm.qos", "Name a quality of service that the account may use."),
        (
            ["generic resource", "(gres)"], "slurm.gres",
            "Name resources that the nodes have: sinfo -o '%N %G'."
        ),
        (
            ["feature specification"], "slurm.constraint",
            "Name features that the nodes have: sinfo -o '%N %f'."
        ),
        (
            ["Memory specification", "Memory required"], "slurm.job_memory",
            "Lower slurm.job_memory and slurm.import_memory to what a node has: sinfo -o '%N %m'."
        ),
        (
            ["time limit", "--time specification"], "slurm.job_minutes",
            "Lower slurm.job_minutes and slurm.import_minutes to the partition's limit: sinfo -o '%P %l'."
        ),
        (
            [noSuchNode, "More processors requested", "CPU count"],
            "slurm.processors, slurm.job_memory",
            "Ask for no more processors and memory than a node of the partition has: sinfo -o '%N %c %m'."
        ),
        (
            ["unrecognized option", "invalid option", "Invalid --", "ambiguous"], "slurm.arguments",
            "Name options that this version of srun has: srun --help."
        ),
        (
            ["denied", "not permitted", "not authorized"], "slurm.partition",
            "Let the service's user submit there, or name another partition, account or quality of service."
        ),
    ]

    private static let noSuchNode = "node configuration is not available"

    /// The controller, or the way to it.
    private static let absence = [
        "Unable to contact slurm controller", "Socket timed out", "Communication connection failure",
        "standby mode",
        "Connection refused", "Zero Bytes were transmitted", "Unable to establish controller machine",
        "munge", "fetch config",
        "Slurm temporarily unable to accept job", "timed out", "Connection reset",
        // Of the service itself, of a program that it ended.
        "gave no answer",
    ]

    /// A limit that other tasks fill, a partition that is closed for a while, nodes that are out of use.
    private static let passing = [
        "MaxSubmit", "submit job limit", "inactive or drain", "down, drained", "are busy",
        "Reservation not usable",
    ]

    static func loss(words: String, queue: SlurmQueue) -> WorkerLoss {
        let found = problem(words: words)
        if found.code == "slurm-unavailable" { return silence(found.detail, queue: queue) }
        // What passes by itself is no failure of the task.
        return WorkerLoss(found, passes(words) ? .wait : .retry, cause: "slurm_refused")
    }

    /// Whether what srun says is no more than a state of the cluster or of its queue.
    static func passes(_ words: String) -> Bool {
        passing.contains { words.localizedCaseInsensitiveContains($0) }
    }

    /// Whether it says that no node has what is asked for.
    static func isOfNodes(_ words: String) -> Bool {
        words.localizedCaseInsensitiveContains(noSuchNode)
    }

    /// Of a controller that did not answer.
    static func silence(_ reason: String, queue: SlurmQueue) -> WorkerLoss {
        queue.lost(reason)
        return WorkerLoss(unavailable(reason), .wait, cause: "slurm_unavailable", explainsSilence: true)
    }

    private static func unavailable(_ reason: String) -> Problem {
        Problem(
            .internal, code: "slurm-unavailable", title: "Slurm's controller does not answer",
            detail: reason, location: "executor", fix: "Look at slurmctld and munge.")
    }

    /// - Parameter words: srun's standard error.
    static func problem(words: String) -> Problem {
        let lines = words.split(separator: "\n").map { String($0).inOneLine }
        let detail = lines.suffix(2).joined(separator: " ")
        if absence.contains(where: { words.localizedCaseInsensitiveContains($0) }) {
            return unavailable(detail)
        }
        let match = settings.first { entry in
            entry.words.contains { words.localizedCaseInsensitiveContains($0) }
        }
        return Problem(
            .internal, code: "slurm-refused", title: "Slurm does not take the task",
            detail: detail.isEmpty ? "srun ended without a word." : detail,
            location: match?.setting ?? "executor",
            fix: match?.fix ?? "Try what the service does: srun --ntasks=1 hostname, as its user.")
    }
}
