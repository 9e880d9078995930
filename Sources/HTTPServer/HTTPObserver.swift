/// Told of every request, for metrics. Called on the server's threads: must not block.
public protocol HTTPObserver: Sendable {
    func requestBegan()
    func requestEnded(_ record: HTTPRequestRecord)
}

/// One finished request.
public struct HTTPRequestRecord: Sendable {
    /// The method as sent, or `_OTHER` for one that the server does not know.
    public var method: String
    /// The route's pattern, nil when none matched.
    public var route: String?
    /// The status sent; 499 when the client went away before there was an answer.
    public var status: Int
    /// Body bytes received and sent.
    public var received: UInt64
    public var sent: UInt64
    public var duration: Duration
    /// The name of the stage that refused the request, `framing` for the framing gate; nil for a request that
    /// reached its route.
    public var refusedBy: String?

    public init(
        method: String, route: String?, status: Int, received: UInt64, sent: UInt64, duration: Duration,
        refusedBy: String? = nil
    ) {
        self.method = method
        self.route = route
        self.status = status
        self.received = received
        self.sent = sent
        self.duration = duration
        self.refusedBy = refusedBy
    }
}

/// A running server.
public protocol RunningHTTPServer: Sendable {
    /// The port it listens on.
    var port: UInt16 { get }
    /// Stops: no new connections, open requests get up to `deadline` to be answered, then 503.
    func shutdown(deadline: Duration) async
}
