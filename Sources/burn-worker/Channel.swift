@preconcurrency import Dispatch
import Foundation
import Support
import Synchronization
import Tensors
import WorkerProtocol

/// The pipe to the service.
///
/// Standard output is taken away from everything else: what a library prints goes to standard error.
final class Channel: Sendable {
    private let output: Int32
    /// Whether the last frame is out: nothing may follow it.
    private let hasEnded = Mutex(false)
    private let heart = DispatchQueue(label: "burn-worker.heartbeat")
    private let signals: DispatchSourceSignal
    private let beats: DispatchSourceTimer

    init() throws {
        output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard output >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
            throw Problem(
                .internal, code: "worker-pipes", title: "The worker has no pipes",
                detail: String(cString: strerror(errno)))
        }
        signal(SIGPIPE, SIG_IGN)
        signal(SIGTERM, SIG_IGN)
        signals = DispatchSource.makeSignalSource(signal: SIGTERM, queue: heart)
        beats = DispatchSource.makeTimerSource(queue: heart)
    }

    /// Reads exactly one frame.
    func receiveTask() throws -> WorkerTask {
        var decoder = Frame.Decoder<WorkerTask>()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Frame.Failure.truncated }
            if let task = try decoder.append(buffer[..<count]).first { return task }
        }
    }

    /// Cancels when the service goes away, closes the pipe, or sends SIGTERM.
    func cancelOnEnd(_ token: CancellationToken) {
        signals.setEventHandler { token.cancel() }
        signals.activate()
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            token.cancel()
        }
    }

    func beatHeart() {
        beats.schedule(deadline: .now() + 1, repeating: 1)
        beats.setEventHandler { [weak self] in self?.send(.heartbeat) }
        beats.activate()
    }

    /// Blocks while the service is slow to read. A service that is gone is noticed on standard input.
    func send(_ message: WorkerMessage) {
        guard let frame = try? Frame.encode(message) else { return }
        hasEnded.withLock { hasEnded in
            guard !hasEnded else { return }
            switch message {
            case .finished, .failed: hasEnded = true
            default: break
            }
            frame.withUnsafeBytes { bytes in
                var sent = 0
                while sent < bytes.count {
                    let count = write(output, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    sent += count
                }
            }
        }
    }
}
