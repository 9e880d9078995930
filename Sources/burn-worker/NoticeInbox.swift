import Dispatch
import Synchronization
import WorkerProtocol

/// What the service says to this worker after its task, in order. Used in one of two ways: `next` waits for it, `forward` has
/// somebody told at once.
final class NoticeInbox: Sendable {
    private struct State {
        var waiting: [WorkerNotice] = []
        var isClosed = false
        var reader: (@Sendable (WorkerNotice) -> Void)?
    }
    private let state = Mutex(State())
    private let news = DispatchSemaphore(value: 0)

    func add(_ notice: WorkerNotice) {
        let reader = state.withLock { state in
            if state.reader == nil { state.waiting.append(notice) }
            return state.reader
        }
        reader?(notice)
        news.signal()
    }

    func close() {
        state.withLock { $0.isClosed = true }
        news.signal()
    }

    /// - Returns: nil once nothing more comes.
    func next() -> WorkerNotice? {
        while true {
            let (notice, isClosed) = state.withLock { state in
                (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isClosed)
            }
            if notice != nil || isClosed { return notice }
            news.wait()
        }
    }

    /// - Parameter reader: called on the thread that reads the pipe.
    func forward(to reader: @escaping @Sendable (WorkerNotice) -> Void) {
        let waiting = state.withLock { state in
            state.reader = reader
            return state.waiting
        }
        waiting.forEach(reader)
    }
}
