import Foundation

/// One event of a `text/event-stream` (WHATWG HTML, section 9.2).
public struct ServerSentEvent: Sendable, Hashable {
    /// What a reconnecting client sends back as `Last-Event-ID`.
    public var id: String?
    public var event: String?
    public var data: String
    /// Milliseconds a client should wait before it reconnects.
    public var retry: Int?

    public init(id: String? = nil, event: String? = nil, data: String, retry: Int? = nil) {
        self.id = id
        self.event = event
        self.data = data
        self.retry = retry
    }

    /// The event's lines and the blank line that ends it. Line breaks in `id` and `event` are dropped,
    /// those in `data` start a new `data` line, so no value can forge a field.
    public var encoded: Data {
        func oneLine(_ text: String) -> String {
            String(
                String.UnicodeScalarView(text.unicodeScalars.filter { !"\r\n\0".unicodeScalars.contains($0) })
            )
        }
        var text = ""
        if let id { text += "id: \(oneLine(id))\n" }
        if let event { text += "event: \(oneLine(event))\n" }
        if let retry { text += "retry: \(retry)\n" }
        let lines = data.replacing("\r\n", with: "\n").split(
            separator: /[\r\n]/, omittingEmptySubsequences: false)
        for line in lines { text += "data: \(line)\n" }
        return Data((text + "\n").utf8)
    }
}

/// The sending end of an event stream.
public struct ServerSentEventWriter: Sendable {
    let writer: any HTTPBodyWriter

    /// - Throws: `CancellationError` when the client went away or the server stops.
    public func send(_ event: ServerSentEvent) async throws {
        try await writer.write(event.encoded)
    }
}
