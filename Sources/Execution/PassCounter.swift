import Support
import Synchronization

/// Counts how many samples went through a model and its copies: the work done, whatever it was for. A pass forward counts
/// as one, a pass with a gradient as three.
public final class PassCounter: Sendable {
    private let passes = Atomic<Int>(0)
    private let listener = Mutex<(@Sendable (Int) -> Void)?>(nil)

    public init() {}

    public var count: Int { passes.load(ordering: .relaxed) }

    /// Tells `listener` of all passes while `body` runs, on the threads that work.
    public func following<Result>(
        _ listener: @escaping @Sendable (_ passes: Int) -> Void, _ body: () throws -> Result
    ) rethrows -> Result {
        self.listener.withLock { $0 = listener }
        defer { self.listener.withLock { $0 = nil } }
        return try body()
    }

    func add(_ samples: Int, in mode: GraphModel.Mode) {
        let added = mode == .inference ? samples : 3 * samples
        passes.add(added, ordering: .relaxed)
        listener.withLock { $0 }?(added)
    }
}
