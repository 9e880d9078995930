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
    /// What the service says after the task.
    let notices = NoticeInbox()

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

    /// Reads exactly one frame; what follows it stays in the pipe.
    func receiveTask() throws -> WorkerTask {
        var decoder = Frame.Decoder<WorkerTask>()
        while true {
            let bytes = Self.read(atMost: decoder.bytesWanted)
            guard !bytes.isEmpty else { throw Frame.Failure.truncated }
            if let task = try decoder.append(bytes).first { return task }
        }
    }

    /// Cancels when the service goes away, closes the pipe, or sends SIGTERM; until then takes its notices.
    func cancelOnEnd(_ token: CancellationToken) {
        signals.setEventHandler { [notices] in
            token.cancel()
            notices.close()
        }
        signals.activate()
        Thread.detachNewThread { [notices] in
            var decoder = Frame.Decoder<WorkerNotice>()
            while case let bytes = Self.read(atMost: 1 << 16), !bytes.isEmpty {
                // Only a service of another version writes what is no notice: none of it is of use then.
                guard let received = try? decoder.append(bytes) else { break }
                received.forEach(notices.add)
            }
            token.cancel()
            notices.close()
        }
    }

    /// - Returns: nothing at the end of the input.
    private static func read(atMost count: Int) -> ArraySlice<UInt8> {
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            let taken = Foundation.read(STDIN_FILENO, &buffer, buffer.count)
            if taken < 0, errno == EINTR { continue }
            return buffer.prefix(max(0, taken))
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
