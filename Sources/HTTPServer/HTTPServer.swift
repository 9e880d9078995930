import CHTTPServer
import Dispatch
import Foundation
import Logging
import Support

/// An HTTP/1.1 server on one address.
///
/// Stop it with `shutdown`: a server that is merely released goes on.
public final class HTTPServer: Sendable {
    private let service: HTTPService
    // Sound: the pointer is set once, its functions are thread-safe, and `stopping` lets one caller free it.
    nonisolated(unsafe) private let server: OpaquePointer
    private let stopping = Mutex(false)
    /// The port it listens on.
    public let port: UInt16

    private init(service: HTTPService, server: OpaquePointer) {
        self.service = service
        self.server = server
        port = burn_http_port(server)
    }

    /// Binds and starts to answer.
    /// - Throws: `Problem` (unavailable) when the address cannot be bound, or `FramingSelfTest` fails.
    public static func start(
        configuration: HTTPServerConfiguration = HTTPServerConfiguration(), handler: any HTTPHandler,
        observer: (any HTTPObserver)? = nil, logger: Logger = Logger(label: "burn.http")
    ) throws -> HTTPServer {
        try start(
            configuration: configuration, handler: handler, observer: observer, logger: logger,
            proof: FramingSelfTest(headerBytes: configuration.headerBytes))
    }

    static func start(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler, observer: (any HTTPObserver)?,
        logger: Logger, proof: FramingSelfTest
    ) throws -> HTTPServer {
        try proof.run()
        let service = HTTPService(
            configuration: configuration, handler: handler, observer: observer, logger: logger)
        var callbacks = service.callbacks
        let server = configuration.withOptions { burn_http_start($0, &callbacks) }
        guard let server else {
            if configuration.isSecure, errno == EBADMSG {
                throw Problem(
                    .malformed, code: "tls-unusable", title: "TLS cannot be started",
                    detail: burn_http_has_tls()
                        ? "the certificate and the private key are damaged or do not belong together"
                        : "libmicrohttpd was built without TLS",
                    fix: "check tls.certificate and tls.key, or let a proxy do TLS")
            }
            throw Problem(
                .unavailable, code: "listen-failed", title: "The address cannot be listened on",
                detail: String(cString: strerror(errno)),
                location: "\(configuration.host):\(configuration.port)",
                fix:
                    "choose another address with --listen HOST:PORT (a numeric host; port 0 takes a free one)"
            )
        }
        return HTTPServer(service: service, server: server)
    }

    /// Connections that are open now.
    public var connections: Int { stopping.withLock { $0 ? 0 : burn_http_connections(server) } }

    /// Connections closed at once because their address had too many.
    public var rejectedConnections: UInt64 {
        stopping.withLock { $0 ? 0 : burn_http_rejected_connections(server) }
    }

    /// Event streams that are open now.
    public var eventStreams: Int { service.streams.count }

    /// Stops. New connections are refused and event streams ended at once; open requests have until the
    /// deadline, then they are answered 503 or cut. Returns when every thread has ended. The first call
    /// counts; others return at once.
    public func shutdown(deadline: Duration) async {
        let first = stopping.withLock { stopping in
            defer { stopping = true }
            return !stopping
        }
        guard first else { return }
        burn_http_drain(server)
        service.drain()
        await waitForConnections(until: .now + deadline)
        service.answerAll()
        await waitForConnections(until: .now + .milliseconds(500))
        burn_http_sever(server)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            service.uploads.async { [self] in
                burn_http_stop(server)
                continuation.resume()
            }
        }
    }

    private func waitForConnections(until deadline: ContinuousClock.Instant) async {
        while burn_http_connections(server) > 0, ContinuousClock.now < deadline {
            // Cancelling the caller must not cut requests short.
            await Task.detached { try? await Task.sleep(for: .milliseconds(10)) }.value
        }
    }
}
