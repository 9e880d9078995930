import Foundation
import Support
import Synchronization
import WorkerProtocol

/// Writes messages to a pipe, whole and in order, to the last one.
final class MessageWriter: Sendable {
    private let output: Int32
    /// Whether the last frame is out: nothing may follow it.
    private let hasEnded = Mutex(false)

    init(to output: Int32) { self.output = output }

    /// Blocks while the reader is slow. Nothing of the task's results may be missing without a word: a message that
    /// cannot be encoded is the task's failure, which is sent in its place as the last frame.
    /// - Returns: false where that happened: the task is over.
    func write(_ message: WorkerMessage) -> Bool {
        do {
            write(try Frame.encode(message), isLast: message.isLast)
            return true
        } catch {
            // Of short texts alone, which can be encoded.
            if let frame = try? Frame.encode(WorkerMessage.failed(message.notSendable(error))) {
                write(frame, isLast: true)
            }
            return false
        }
    }

    private func write(_ frame: Data, isLast: Bool) {
        hasEnded.withLock { hasEnded in
            guard !hasEnded else { return }
            hasEnded = isLast
            frame.withUnsafeBytes { bytes in
                var sent = 0
                while sent < bytes.count {
                    let count = Foundation.write(
                        output, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    sent += count
                }
            }
        }
    }
}

extension WorkerMessage {
    fileprivate var isLast: Bool {
        switch self {
        case .finished, .failed: true
        default: false
        }
    }
}
