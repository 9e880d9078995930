import Dispatch
import Foundation
import Support

/// Carries a body from the event thread to its sink: two buffers, one filling while the other is written.
///
/// The event thread never waits for the sink: with both buffers taken it suspends the connection, and the
/// end of a write resumes it. So memory is constant, and a slow disk slows its own upload only.
///
/// Unchecked: the buffers' bytes are written by the event thread only in the half that `state` says is
/// filling, and read by the queue only in the half that it says is being written.
final class BodyBuffer: @unchecked Sendable {
    enum Taken { case bytes(Int), failed }

    private struct State {
        var filling = 0
        var count = 0
        var writing = false
        var readerWaits = false
        var failure: (any Error)?
        var ended = false
    }

    static let capacity = 256 << 10
    private let sink: any BodySink
    private let queue: DispatchQueue
    private let buffers: [UnsafeMutableRawBufferPointer]
    private let state = Mutex(State())
    private let suspend: @Sendable () -> Bool
    private let resume: @Sendable () -> Void

    init(
        sink: any BodySink, queue: DispatchQueue, suspend: @escaping @Sendable () -> Bool,
        resume: @escaping @Sendable () -> Void
    ) {
        self.sink = sink
        // Serial, on the server's I/O queue: writes, finish and abort come one after another.
        self.queue = DispatchQueue(label: "burn.http.upload", target: queue)
        buffers = (0..<2).map { _ in .allocate(byteCount: Self.capacity, alignment: 4096) }
        self.suspend = suspend
        self.resume = resume
    }

    deinit {
        for buffer in buffers { buffer.deallocate() }
    }

    /// Called on the event thread. Fewer bytes than given are taken only with the connection suspended.
    func take(_ bytes: UnsafeRawBufferPointer) -> Taken {
        state.withLock { state in
            var taken = 0
            while taken < bytes.count {
                if state.failure != nil { return .failed }
                if state.count == Self.capacity {
                    if state.writing {
                        state.readerWaits = suspend()
                        return state.readerWaits ? .bytes(taken) : .failed
                    }
                    startWriting(&state)
                }
                let part = min(bytes.count - taken, Self.capacity - state.count)
                let target = UnsafeMutableRawBufferPointer(rebasing: buffers[state.filling][state.count...])
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + part]))
                state.count += part
                taken += part
            }
            return .bytes(taken)
        }
    }

    private func startWriting(_ state: inout State) {
        let (half, count) = (state.filling, state.count)
        state.filling = 1 - half
        state.count = 0
        state.writing = true
        queue.async { [self] in
            write(half, count)
            written()
        }
    }

    private func write(_ half: Int, _ count: Int) {
        do {
            try sink.write(UnsafeRawBufferPointer(rebasing: buffers[half][..<count]))
        } catch {
            state.withLock { $0.failure = $0.failure ?? error }
        }
    }

    private func written() {
        state.withLock { state in
            state.writing = false
            guard state.readerWaits else { return }
            state.readerWaits = false
            resume()
        }
    }

    /// Writes what is left and finishes the sink, or aborts it and throws why.
    func finish() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { [self] in
                continuation.resume(with: Result { try finishNow() })
            }
        }
    }

    private func finishNow() throws {
        let (half, count, failure) = state.withLock { ($0.filling, $0.count, $0.failure) }
        do {
            if let failure { throw failure }
            if count > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: buffers[half][..<count])) }
            try sink.finish()
            state.withLock { $0.ended = true }
        } catch {
            abortNow()
            throw error
        }
    }

    /// Tells the sink, after any write in progress, that the body will not be complete. Idempotent.
    func abort() {
        queue.async { self.abortNow() }
    }

    private func abortNow() {
        let first = state.withLock { state in
            defer { state.ended = true }
            return !state.ended
        }
        if first { sink.abort() }
    }

    /// Why the sink refused the body, once it did.
    var failure: (any Error)? { state.withLock(\.failure) }
}
