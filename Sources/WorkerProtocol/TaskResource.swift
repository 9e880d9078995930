/// What a cluster gives a task a certain amount of.
public enum TaskResource: Hashable, Sendable, CaseIterable {
    case memory, time
}
