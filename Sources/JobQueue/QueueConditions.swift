import ArtifactStore
import Support

/// What the runners must know of the queue's state, shared between threads.
final class QueueConditions: Sendable {
    private struct State {
        var isStopping = false
        var isDiskFull = false
    }
    private let state = Mutex(State())

    /// The service stops: results that cannot be stored are given up, the next start takes them back.
    var isStopping: Bool {
        get { state.withLock { $0.isStopping } }
        set { state.withLock { $0.isStopping = newValue } }
    }

    /// Less than the floor is free: no work is started, and what runs is paused.
    var isDiskFull: Bool { state.withLock { $0.isDiskFull } }

    /// Looks at the disk. It has to have more than the floor by a margin before it no longer counts as full, so
    /// that jobs do not start and stop in turns.
    /// - Returns: whether that changed.
    func look(at artifacts: ArtifactStore) -> Bool {
        // Where the file system does not answer, writes will say what is wrong.
        guard let free = try? artifacts.freeBytes() else { return false }
        let margin = min(artifacts.freeSpaceFloor / 16, 64 << 20)
        return state.withLock { state in
            let isFull = state.isDiskFull ? free <= margin : free == 0
            defer { state.isDiskFull = isFull }
            return isFull != state.isDiskFull
        }
    }
}
