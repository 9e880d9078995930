extension Problem {
    /// Codes of problems that more memory would mend.
    public enum MemoryCode: String, CaseIterable, Sendable {
        /// A job was not begun: it needs more than it may use.
        case insufficient = "memory-insufficient"
        /// A worker was stopped, or stopped itself, at its limit.
        case exceeded = "worker-memory-exceeded"
        /// A model's operator was given none.
        case failed = "out-of-memory"
    }

    public var isForWantOfMemory: Bool { MemoryCode(rawValue: code) != nil }
}
