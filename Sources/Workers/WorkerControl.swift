import Foundation
import Support
import WorkerProtocol

/// Stops one worker from another thread. Safe at any time: before the start, while it runs, after the end.
public final class WorkerControl: Sendable {
    private struct State {
        /// Set while the process is there and not yet reaped, so that its number cannot be another's.
        var process: pid_t?
        var signals = true
        var cancelledAt: ContinuousClock.Instant?
        /// Frames that wait to be written to it.
        var notices = Data()
    }
    private let state = Mutex(State())

    public init() {}

    /// Asks the worker to stop; the supervisor kills it when it is still there after the grace period.
    public func cancel() {
        state.withLock { state in
            guard state.cancelledAt == nil else { return }
            state.cancelledAt = .now
            if let process = state.process, state.signals { kill(process, SIGTERM) }
        }
    }

    /// Tells the worker something, in order, after its task. Whoever sends bounds how much waits.
    public func send(_ notice: WorkerNotice) throws {
        let frame = try Frame.encode(notice)
        state.withLock { $0.notices += frame }
    }

    /// - Returns: what waits to be written, which it is from then on the caller's to write.
    func takeNotices() -> Data {
        state.withLock { state in
            defer { state.notices = Data() }
            return state.notices
        }
    }

    public var isCancelled: Bool { cancelledAt != nil }

    var cancelledAt: ContinuousClock.Instant? { state.withLock { $0.cancelledAt } }

    /// - Parameter signals: whether a cancel sends the process SIGTERM; otherwise whoever watches it stops it.
    func attach(_ process: pid_t, signals: Bool = true) {
        state.withLock { state in
            state.process = process
            state.signals = signals
            if state.cancelledAt != nil, signals { kill(process, SIGTERM) }
        }
    }

    func detach() {
        state.withLock { $0.process = nil }
    }
}
