/// The server's connections at a moment.
public struct ConnectionStatistics: Sendable {
    public var open: Int
    public var eventStreams: Int
    /// Closed at once because their address had too many, since the start.
    public var rejected: UInt64

    public init(open: Int, eventStreams: Int, rejected: UInt64) {
        self.open = open
        self.eventStreams = eventStreams
        self.rejected = rejected
    }

    func render(into page: inout ExpositionPage) {
        page.gauge("burn_http_connections", "Connections that are open.", Double(open))
        page.gauge("burn_http_event_streams", "Event streams that are open.", Double(eventStreams))
        page.family(
            "burn_http_connections_rejected_total",
            "Connections closed at once because their address had too many.", type: "counter")
        page.sample("burn_http_connections_rejected_total", [], Double(rejected))
    }
}
