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
        var bytes = Data()
        func line(_ field: String, _ value: some Sequence<UInt8>) {
            bytes.append(contentsOf: field.utf8)
            bytes.append(contentsOf: ": ".utf8)
            bytes.append(contentsOf: value)
            bytes.append(Self.lineFeed)
        }
        let isOneLine = { (byte: UInt8) in byte != 0 && byte != Self.lineFeed && byte != Self.carriageReturn }
        if let id { line("id", id.utf8.filter(isOneLine)) }
        if let event { line("event", event.utf8.filter(isOneLine)) }
        if let retry { line("retry", String(retry).utf8) }
        // On bytes: as a Character, CR LF is one.
        var rest = Array(data.utf8)[...]
        while let end = rest.firstIndex(where: { $0 == Self.lineFeed || $0 == Self.carriageReturn }) {
            line("data", rest[..<end])
            let isPair =
                rest[end] == Self.carriageReturn
                && rest.dropFirst(end + 1 - rest.startIndex).first == Self.lineFeed
            rest = rest[(end + (isPair ? 2 : 1))...]
        }
        line("data", rest)
        bytes.append(Self.lineFeed)
        return bytes
    }

    private static let lineFeed: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D
}

/// The sending end of an event stream.
public struct ServerSentEventWriter: Sendable {
    let writer: any HTTPBodyWriter

    public init(writer: any HTTPBodyWriter) { self.writer = writer }

    /// - Throws: `CancellationError` when the client went away or the server stops.
    public func send(_ event: ServerSentEvent) async throws {
        try await writer.write(event.encoded)
    }
}
