import Foundation

/// A thread of its own for what blocks for long, such as the watch over a process.
///
/// Dispatch gives all queues of a quality of service few threads together (on Linux twice the processors): what holds
/// them for minutes keeps every other queue of that quality waiting, and Swift's tasks where it is theirs.
public enum OwnThread {
    public static func run(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { body() }
        thread.name = name
        thread.start()
    }
}
