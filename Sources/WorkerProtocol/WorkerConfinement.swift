/// Whether workers confine themselves, and what happens where the machine cannot.
public enum SandboxMode: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nothing runs without it.
    case required
    /// What can be had; the service says what is missing.
    case preferred
    /// Only what every kernel gives: no new privileges, limits, an end with the parent.
    case off
}

/// How a worker confines itself, and what it may use.
public struct WorkerConfinement: Codable, Hashable, Sendable {
    public var mode: SandboxMode
    /// Bytes of memory of its own (anonymous and shared, without mapped files). Nil: no limit.
    public var memoryBytes: Int?
    /// Seconds from its start to its end. Nil: no limit.
    public var seconds: Int?
    /// Bytes of one file that it writes. Nil: no limit.
    public var fileBytes: Int?

    public init(
        mode: SandboxMode = .preferred, memoryBytes: Int? = nil, seconds: Int? = nil, fileBytes: Int? = nil
    ) {
        self.mode = mode
        self.memoryBytes = memoryBytes
        self.seconds = seconds
        self.fileBytes = fileBytes
    }
}
