import Foundation

/// One server-sent event.
public struct ServerEvent: Hashable, Sendable {
    /// Of the last event with one.
    public var id: String?
    public var kind: String
    public var data: String
}

/// Takes apart a stream of server-sent events (HTML, section 9.2), whatever the pieces that it comes in.
struct EventLines {
    private var pending: [UInt8] = []
    private var skipsLineFeed = false
    private var id: String?
    private var kind = ""
    private var data: [String] = []

    /// An event is small; what goes on without an end is no stream of events.
    static let maximumLine = 16 << 20

    struct Oversized: Error {}

    mutating func take(_ bytes: Data) throws -> [ServerEvent] {
        var events: [ServerEvent] = []
        for byte in bytes {
            if skipsLineFeed {
                skipsLineFeed = false
                if byte == 0x0A { continue }
            }
            guard byte == 0x0A || byte == 0x0D else {
                pending.append(byte)
                if pending.count > Self.maximumLine { throw Oversized() }
                continue
            }
            skipsLineFeed = byte == 0x0D
            if let event = line(String(decoding: pending, as: UTF8.self)) { events.append(event) }
            pending.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func line(_ text: String) -> ServerEvent? {
        guard !text.isEmpty else {
            defer { (kind, data) = ("", []) }
            guard !data.isEmpty else { return nil }
            return ServerEvent(
                id: id, kind: kind.isEmpty ? "message" : kind, data: data.joined(separator: "\n"))
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? String(parts[1]) : ""
        if value.hasPrefix(" ") { value.removeFirst() }
        switch parts[0] {
        case "id": if !value.contains("\0") { id = value }
        case "event": kind = value
        case "data": data.append(value)
        default: break
        }
        return nil
    }
}
