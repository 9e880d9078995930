import Support

/// A task that its executor ended, not its worker.
public struct WorkerLoss: Sendable {
    /// What becomes of the task.
    public enum Remedy: Sendable {
        /// It is tried again, a few times.
        case retry
        /// It is tried again, however often that happens: nothing was wrong with it.
        case wait
        /// It needs more than it was given, which was not all that a task may have: it is tried again with that.
        case enlarge
        /// Somebody or something meant it: a job fails with the problem.
        case report
    }

    public var problem: Problem
    public var remedy: Remedy
    /// For the count of ends, such as `slurm_preempted`.
    public var cause: String
    /// Whether a worker gives no sign of life where this has happened: then this is the cause, and not the silence.
    public var explainsSilence: Bool

    /// The cause of a task that somebody cancelled on the cluster.
    public static let cancelled = "slurm_cancelled"

    public init(_ problem: Problem, _ remedy: Remedy, cause: String, explainsSilence: Bool = false) {
        self.problem = problem
        self.remedy = remedy
        self.cause = cause
        self.explainsSilence = explainsSilence
    }
}
