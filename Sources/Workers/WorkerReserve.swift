import Dispatch
import Foundation
import Support

/// Workers that were started before their task is there: they have loaded their libraries by the time it comes.
///
/// Each waits on a thread of its own, which starts, watches and reaps it: the parent-death signal that a worker asks
/// for is bound to the thread that started it.
final class WorkerReserve: Sendable {
    /// Takes the process over, to its end.
    typealias Use = @Sendable (consuming WorkerProcess) -> Void

    private struct State {
        var waiting: [Spare] = []
        var starting = 0
        var isOpen = false
    }

    /// A worker that waits: `use` is set once, before `ready` is signalled; without it the worker is let go.
    private final class Spare: Sendable {
        let ready = DispatchSemaphore(value: 0)
        let use = Mutex(Use?.none)
    }

    private let size: Int
    private let start: @Sendable () throws -> WorkerProcess
    private let state = Mutex(State())

    /// - Parameter size: workers that wait at the same time; none are started before `open`.
    init(size: Int, start: @escaping @Sendable () throws -> WorkerProcess) {
        self.size = size
        self.start = start
    }

    /// From now on so many wait.
    func open() {
        state.withLock { $0.isOpen = true }
        fill()
    }

    /// Starts as many as are missing.
    private func fill() {
        let missing = state.withLock { state in
            let missing = state.isOpen ? max(0, size - state.waiting.count - state.starting) : 0
            state.starting += missing
            return missing
        }
        for _ in 0..<missing { OwnThread.run("burn.reserve") { self.keepOne() } }
    }

    /// Hands a waiting worker to `use`, and starts another in its place.
    /// - Returns: false where none waits.
    func take(_ use: @escaping Use) -> Bool {
        let spare = state.withLock { $0.waiting.popLast() }
        fill()
        guard let spare else { return false }
        spare.use.withLock { $0 = use }
        spare.ready.signal()
        return true
    }

    /// Lets all that wait go; none is started until it is opened again.
    func close() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isOpen = false
            return state.waiting
        }
        for spare in waiting { spare.ready.signal() }
    }

    private func keepOne() {
        let process: WorkerProcess
        do { process = try start() } catch {
            // Whoever wants one next starts it without the reserve, and is told why it cannot be started.
            return state.withLock { $0.starting -= 1 }
        }
        let spare = Spare()
        let isOpen = state.withLock { state in
            state.starting -= 1
            if state.isOpen { state.waiting.append(spare) }
            return state.isOpen
        }
        if isOpen { spare.ready.wait() }
        if let use = spare.use.withLock({ $0 }) { return use(process) }
        process.killGroup()
        _ = process.reap()
    }
}
