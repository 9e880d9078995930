public struct HTTPServerConfiguration: Sendable {
    /// A numeric address: `127.0.0.1`, `::1`, `0.0.0.0`.
    public var host = "127.0.0.1"
    /// 0 takes a free port; `HTTPServer.port` tells which.
    public var port: UInt16 = 0
    /// Event threads (2 to 4 are plenty: they never block).
    public var threads: UInt32 = 2
    public var maximumConnections: UInt32 = 1024
    /// Connections from one address; more are closed at once. 0 is no limit of its own.
    public var maximumConnectionsPerAddress: UInt32 = 0
    /// Numeric addresses that the limit per address does not hold for: proxies, whose clients share one.
    public var unlimitedAddresses: [String] = []
    /// TLS, when set.
    public var certificate: TLSCertificate?
    /// Bytes of a request's line and header section; more is answered 431, an address longer than a quarter
    /// of them 414.
    public var headerBytes = 16 << 10
    /// Event streams open at the same time, in all and for each client (API key, or address without one).
    public var maximumEventStreams = 256
    public var maximumEventStreamsPerClient = 32
    /// From a connection's start to a complete header section.
    public var headerDeadline: Duration = .seconds(15)
    /// How long a connection may be idle, between requests or while data is awaited.
    public var idleTimeout: Duration = .seconds(60)
    /// The slowest upload allowed, in bytes per second, once it has run for `headerDeadline`.
    public var minimumUploadRate: UInt64 = 512
    /// Pause between two comment lines on an idle event stream.
    public var eventPing: Duration = .seconds(15)
    public init() {}

    var isSecure: Bool { certificate != nil }
}
