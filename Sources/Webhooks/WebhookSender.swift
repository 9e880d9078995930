import CHTTPClient
import Foundation
import Support

/// Sends one request and reads the status of its answer. Redirects are not followed, and nothing else of the answer is
/// looked at.
struct WebhookSender: Sendable {
    let certificates: String?
    let patience: Duration

    enum Outcome: Hashable, Sendable {
        case answered(Int)
        /// Why there is no answer.
        case failed(String)
    }

    /// Sending blocks, and its lookup of a name for as long as the system likes: it has a thread of its own, which a
    /// cancelled task does not wait for.
    func send(_ bytes: Data, to origin: WebhookOrigin) async -> Outcome {
        let (answers, continuation) = AsyncStream.makeStream(of: Outcome.self)
        OwnThread.run("burn-webhook") {
            continuation.yield(exchange(bytes, origin))
            continuation.finish()
        }
        for await outcome in answers { return outcome }
        return .failed("the service stopped")
    }

    private func exchange(_ bytes: Data, _ origin: WebhookOrigin) -> Outcome {
        var text = [CChar](repeating: 0, count: 512)
        func failure(_ text: [CChar]) -> Outcome {
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return .failed(String(decoding: bytes, as: UTF8.self).inOneLine)
        }
        let milliseconds = Int32(clamping: patience.components.seconds * 1000)
        let opened = burn_client_open(
            origin.host, origin.port, origin.isEncrypted, certificates, milliseconds, &text, text.count)
        guard let client = opened else { return failure(text) }
        defer { burn_client_close(client) }
        let sent = bytes.withUnsafeBytes {
            burn_client_send(client, $0.baseAddress, $0.count, &text, text.count)
        }
        guard sent == 0 else { return failure(text) }
        var answer = WebhookAnswer()
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = burn_client_receive(client, &piece, piece.count, &text, text.count)
            guard count >= 0 else { return failure(text) }
            guard count > 0 else { return .failed("the connection was closed without an answer") }
            do {
                if let status = try answer.take(piece[..<count]) { return .answered(status) }
            } catch { return .failed("the answer is no HTTP") }
        }
    }
}
