import Support
import WorkerProtocol

/// Whose task it is: what an executor names the task by where others see it.
public struct WorkerLabel: Hashable, Sendable {
    /// Of the job, or of the input that is imported.
    public var id: String
    /// The fencing number.
    public var attempt: Int

    public init(id: String, attempt: Int) {
        self.id = id
        self.attempt = attempt
    }
}

/// A program to start.
public struct WorkerCommand: Sendable {
    public var executable: String
    public var arguments: [String] = []
    public var environment: [String: String] = [:]
    /// What it is sent when the thread that started it ends; nil for a program that asks for that itself.
    public var signalOfDeath: Int32?
}

/// Where tasks run: what starts the process that carries a task's pipes, and what is known of the task besides its
/// messages.
public protocol WorkerExecutor: Sendable {
    /// Tasks that it takes at the same time; nil: as many as the service has slots.
    var mostTasks: Int? { get }
    /// Whether a task may go on, unseen, where the service can't end it: on a node that is cut off.
    var isRemote: Bool { get }
    /// Why it takes none now, though it may later. Nil: it takes tasks.
    var obstacle: Problem? { get }

    /// What a task gets less of than one of its kind may have, going by its estimate.
    func scarce(for task: WorkerTask) -> Set<TaskResource>

    /// - Throws: `Problem` where it can't be started.
    func prepare(_ task: WorkerTask, for label: WorkerLabel, worker: WorkerCommand) throws -> any WorkerRun
}

/// One task in the hands of an executor. Used by the one thread that watches its process.
public protocol WorkerRun: AnyObject {
    var command: WorkerCommand { get }
    /// Whether the command's process is the worker: then this machine counts its memory and signals reach it.
    var isLocal: Bool { get }
    /// Memory that the executor gives the task; nil: as configured for all.
    var memoryBytes: Int? { get }
    /// Processors that the executor gives the task; nil: all of the machine.
    var processors: Int? { get }
    /// Whether the worker is stopped for a while, and neither works nor gives signs; nil where nobody can say now.
    var isSuspended: Bool? { get }
    /// What has changed since it was asked last; asked once more after `conclude`.
    func news() -> WorkerPlacement?
    /// Called when the process has gone, whatever ended it. Sees that nothing of the task is left anywhere. May wait for
    /// minutes until it is known how the task ended, but not for long once the task is cancelled.
    /// - Returns: how the task ended, where the executor knows better than the process's status says.
    func conclude(_ end: WorkerEnd, isCancelled: () -> Bool) -> WorkerExit?
}

/// The end of a task's process.
public struct WorkerEnd: Sendable {
    /// What is known of the task's result.
    public enum Knowledge: Sendable {
        /// The worker gave its result as the last frame, and its process ended by itself.
        case complete
        /// There is a result, and nothing that the executor knows changes it.
        case decided
        /// The worker gave no sign for too long, and was killed for it.
        case silent
        /// It ended without a result.
        case open
    }

    public var status: WorkerStatus
    /// What the process wrote to its standard error, the last of it.
    public var words: String
    public var knowledge: Knowledge

    public init(status: WorkerStatus, words: String, knowledge: Knowledge) {
        self.status = status
        self.words = words
        self.knowledge = knowledge
    }
}

/// How a process ended.
public enum WorkerStatus: Sendable {
    case exited(Int32)
    case signalled(Int32)
}

/// Workers are children of the service.
public struct LocalExecutor: WorkerExecutor {
    public init() {}

    public var mostTasks: Int? { nil }
    public var obstacle: Problem? { nil }
    public var isRemote: Bool { false }
    public func scarce(for task: WorkerTask) -> Set<TaskResource> { [] }

    public func prepare(_ task: WorkerTask, for label: WorkerLabel, worker: WorkerCommand) -> any WorkerRun {
        LocalRun(command: worker)
    }
}

final class LocalRun: WorkerRun {
    let command: WorkerCommand
    let isLocal = true
    let memoryBytes: Int? = nil
    let processors: Int? = nil
    let isSuspended: Bool? = false

    init(command: WorkerCommand) { self.command = command }

    func news() -> WorkerPlacement? { nil }
    func conclude(_ end: WorkerEnd, isCancelled: () -> Bool) -> WorkerExit? { nil }
}
