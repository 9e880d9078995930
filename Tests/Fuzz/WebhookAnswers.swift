import Webhooks

/// What a webhook's receiver answers, and what stands in requests as its address.
enum WebhookAnswers {
    /// However it is cut into pieces, the same bytes say the same; an address that is taken can be a request's.
    @Sendable static func read(_ input: Input) {
        var input = input
        let size = input.byte() % 64 + 1
        let bytes = input.bytes
        let whole = status(bytes, size: max(bytes.count, 1))
        let cut = status(bytes, size: size)
        // A piece that holds the status may hold more than is ever read.
        require(
            whole == cut || bytes.count >= WebhookAnswer.mostBytes, "\(whole) in one piece, \(cut) by \(size)"
        )
        if case .status(let status) = whole { require((200...999).contains(status), "a status of \(status)") }
        if let address = try? WebhookAddress(String(decoding: bytes, as: UTF8.self)) {
            require(
                WebhookOrigin(address.origin.description) == address.origin,
                "\(address.origin) is another one")
        }
    }

    private enum Outcome: Equatable {
        case none, malformed
        case status(Int)
    }

    private static func status(_ bytes: [UInt8], size: Int) -> Outcome {
        var answer = WebhookAnswer()
        for start in stride(from: 0, to: bytes.count, by: size) {
            do {
                if let status = try answer.take(bytes[start..<min(start + size, bytes.count)]) {
                    return .status(status)
                }
            } catch { return .malformed }
        }
        return .none
    }
}
