import Foundation
import Support

/// The bounded pipe between a response's producer (a task) and the connection's event thread.
///
/// The event thread never waits: when there is nothing to send it suspends its connection, and the next
/// `write` resumes it. The producer waits while more than `limit` bytes are unsent.
final class StreamPipe: HTTPBodyWriter, Sendable {
    enum Outcome { case bytes(Int), suspended, finished, failed }
    private enum End { case open, finished, failed }

    private struct State {
        var chunks: [Data] = []
        var buffered = 0
        var end = End.open
        var readerWaits = false
        var writers: [CheckedContinuation<Void, any Error>] = []
        var lastWrite = ContinuousClock.now
    }

    static let limit = 256 << 10
    private let state = Mutex(State())
    private let suspend: @Sendable () -> Bool
    private let resume: @Sendable () -> Void

    /// - Parameters:
    ///   - suspend: stops the connection; false while the server stops.
    ///   - resume: undoes `suspend`, exactly once for each time it returned true.
    init(suspend: @escaping @Sendable () -> Bool, resume: @escaping @Sendable () -> Void) {
        self.suspend = suspend
        self.resume = resume
    }

    func write(_ data: Data) async throws {
        guard !data.isEmpty else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let answer: Result<Void, any Error>? = state.withLock { state in
                guard state.end == .open else { return .failure(CancellationError()) }
                state.chunks.append(data)
                state.buffered += data.count
                state.lastWrite = .now
                wakeReader(&state)
                if state.buffered <= Self.limit { return .success(()) }
                state.writers.append(continuation)
                return nil
            }
            if let answer { continuation.resume(with: answer) }
        }
    }

    /// When the last bytes were written, for pings.
    var lastWrite: ContinuousClock.Instant { state.withLock(\.lastWrite) }

    /// The producer is done: what is buffered is still sent, unless it failed.
    func finish(failed: Bool) {
        end(failed ? .failed : .finished)
    }

    /// The client went away or the server stops: nothing more is sent, waiting writers throw.
    func cancel() {
        end(.failed)
    }

    private func end(_ end: End) {
        let writers = state.withLock { state in
            guard state.end == .open else { return [CheckedContinuation<Void, any Error>]() }
            state.end = end
            wakeReader(&state)
            defer { state.writers = [] }
            return state.writers
        }
        for writer in writers { writer.resume(throwing: CancellationError()) }
    }

    private func wakeReader(_ state: inout State) {
        guard state.readerWaits else { return }
        state.readerWaits = false
        resume()
    }

    /// Called on the event thread: moves bytes into `buffer`, or suspends the connection.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        var writers: [CheckedContinuation<Void, any Error>] = []
        let outcome: Outcome = state.withLock { state in
            if state.end == .failed { return .failed }
            if state.chunks.isEmpty {
                if state.end == .finished { return .finished }
                // Suspending under the lock keeps a concurrent write from resuming too early.
                state.readerWaits = suspend()
                return state.readerWaits ? .suspended : .failed
            }
            let count = Self.move(&state.chunks, into: buffer)
            state.buffered -= count
            if state.buffered <= Self.limit / 2 {
                writers = state.writers
                state.writers = []
            }
            return .bytes(count)
        }
        for writer in writers { writer.resume() }
        return outcome
    }

    private static func move(_ chunks: inout [Data], into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var moved = 0
        var used = 0
        while used < chunks.count, moved < buffer.count {
            let count = min(chunks[used].count, buffer.count - moved)
            chunks[used].copyBytes(
                to: UnsafeMutableRawBufferPointer(rebasing: buffer[moved...]), count: count)
            moved += count
            if count < chunks[used].count {
                chunks[used] = chunks[used].dropFirst(count)
                break
            }
            used += 1
        }
        chunks.removeFirst(used)
        return moved
    }
}
