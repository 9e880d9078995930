@preconcurrency import Dispatch
import Foundation
import Support
import Tensors
import WorkerProtocol

/// The pipe to the service.
///
/// Standard output is taken away from everything else: what a library prints goes to standard error.
final class Channel: Sendable {
    private let writer: MessageWriter
    private let heart = DispatchQueue(label: "burn-worker.heartbeat")
    private let signals: DispatchSourceSignal
    private let beats: DispatchSourceTimer

    init() throws {
        let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard output >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
            throw Problem(
                .internal, code: "worker-pipes", title: "The worker has no pipes",
                detail: String(cString: strerror(errno)))
        }
        writer = MessageWriter(to: output)
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

    /// Blocks while the service is slow to read. A service that is gone is noticed on standard input. A message that cannot
    /// be sent ends the process: the service has been told why.
    func send(_ message: WorkerMessage) {
        if !writer.write(message) { Self.end(1) }
    }

    /// At once: what the libraries do when a process ends takes longer than many tasks, and gives back only what the
    /// process held anyway.
    static func end(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }
}
