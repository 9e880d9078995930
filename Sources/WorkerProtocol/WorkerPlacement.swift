/// Where a task is on a cluster, in the words of its scheduler.
public struct WorkerPlacement: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        /// It waits there for its turn.
        case pending
        case running
    }

    /// What the scheduler was asked for.
    public struct Request: Codable, Hashable, Sendable {
        public var memoryBytes: Int
        public var minutes: Int
        public var processors: Int

        public init(memoryBytes: Int, minutes: Int, processors: Int) {
            self.memoryBytes = memoryBytes
            self.minutes = minutes
            self.processors = processors
        }

        enum CodingKeys: String, CodingKey {
            case minutes, processors
            case memoryBytes = "memory_bytes"
        }
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
    /// Nil in what an earlier version wrote.
    public var request: Request?

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
