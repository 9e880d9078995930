/// Where a task is on a cluster, in the words of its scheduler.
public struct WorkerPlacement: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        /// It waits there for its turn.
        case pending
        case running
    }

    /// The scheduler's number for it.
    public var job: Int
    public var state: State
    /// Why it waits, such as `Resources` or `Priority`.
    public var reason: String?
    /// How many wait before it in its partition, and itself.
    public var position: Int?
    /// Where it runs.
    public var node: String?

    public init(
        job: Int, state: State, reason: String? = nil, position: Int? = nil, node: String? = nil
    ) {
        self.job = job
        self.state = state
        self.reason = reason
        self.position = position
        self.node = node
    }
}
