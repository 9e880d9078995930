import Logging

public struct HTTPServerConfiguration: Sendable {
    /// A numeric address: `127.0.0.1`, `::1`, `0.0.0.0`.
    public var host = "127.0.0.1"
    /// 0 takes a free port; `HTTPServer.port` tells which.
    public var port: UInt16 = 0
    /// Event threads (2 to 4 are plenty: they never block).
    public var threads: UInt32 = 2
    public var maximumConnections: UInt32 = 1024
    /// Connections from one address; 0 is no limit of its own.
    public var maximumConnectionsPerAddress: UInt32 = 0
    /// Memory for a connection's request line and header section; more is answered 431 (or 414).
    public var headerBytes = 32 << 10
    /// From a connection's start to a complete header section.
    public var headerDeadline: Duration = .seconds(15)
    /// How long a connection may be idle, between requests or while data is awaited.
    public var idleTimeout: Duration = .seconds(60)
    /// The slowest upload allowed, in bytes per second, once it has run for `headerDeadline`.
    public var minimumUploadRate: UInt64 = 512
    /// Pause between two comment lines on an idle event stream.
    public var eventPing: Duration = .seconds(15)
    public init() {}
}

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
}

/// A running server.
public protocol RunningHTTPServer: Sendable {
    /// The port it listens on.
    var port: UInt16 { get }
    /// Stops: no new connections, open requests get up to `deadline` to be answered, then 503.
    func shutdown(deadline: Duration) async
}
