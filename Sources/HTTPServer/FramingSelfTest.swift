import CHTTPServer
import Foundation
import Support

/// Proves, before a server starts, that the framing gate sees what a client sends.
///
/// The gate reads libmicrohttpd's buffers, whose layout is nobody's promise: with another version it might refuse
/// everything, or let pass what it must refuse. So a server of its own on the loopback address gets requests as a client
/// sends them, those that must pass and those that must be refused, and what the gate found in each is compared.
struct FramingSelfTest {
    /// As the server that is to start has them: the size of the buffers goes by them.
    var headerBytes: Int
    var layout = BURN_HTTP_LAYOUT_REAL
    /// A machine that answers itself at all does so at once.
    var patience = DispatchTimeInterval.seconds(5)

    /// - Throws: `Problem` `framing-gate-unproven`.
    func run() throws {
        let recorder = GateRecorder()
        try withExtendedLifetime(recorder) {
            let server = try start(recorder)
            defer { burn_http_stop(server) }
            for probe in Self.probes(headerBytes: headerBytes) {
                try send(Array(probe.bytes.utf8), burn_http_port(server)) {
                    let found = recorder.wait(for: probe.expected.count, patience)
                    guard found == probe.expected else {
                        throw Self.unproven("\(probe.name): expected \(probe.expected), found \(found)")
                    }
                }
            }
        }
    }

    private func start(_ recorder: GateRecorder) throws -> OpaquePointer {
        var configuration = HTTPServerConfiguration()
        configuration.headerBytes = headerBytes
        var callbacks = recorder.callbacks
        let server = configuration.withOptions(layout: layout) { burn_http_start($0, &callbacks) }
        guard let server else { throw Self.failed("listening on \(configuration.host)") }
        return server
    }

    /// Sends bytes on a connection of their own, which is open while the body looks at what came of them.
    private func send(_ bytes: [UInt8], _ port: UInt16, _ body: () throws -> Void) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failed("socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // The pointer is valid during the call.
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Self.failed("connect") }
        // Far less than a socket's buffer.
        guard Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Self.failed("send")
        }
        try body()
    }

    private static func failed(_ call: String) -> Problem {
        unproven("\(call): \(String(cString: strerror(errno)))")
    }

    private static func unproven(_ detail: String) -> Problem {
        let version = String(cString: burn_http_library_version())
        return Problem(
            .unavailable, code: "framing-gate-unproven",
            title: "The check of requests' framing does not work on this machine",
            detail:
                "Requests could be smuggled past it, so the service does not start. With libmicrohttpd \(version), "
                + detail,
            fix: "Install libmicrohttpd 0.9.75, or report this text.")
    }
}

extension FramingSelfTest {
    struct Probe: Sendable {
        var name: String
        var bytes: String
        var expected: [GateFinding]
    }

    private static func probes(headerBytes: Int) -> [Probe] {
        passing(headerBytes: headerBytes) + refused
    }

    private static let host = ["Host", "self-test"]
    private static let plain = "GET /a HTTP/1.1\r\nHost: self-test\r\n\r\n"
    private static let plainFound = GateFinding.passed("GET", "/a", [host])

    private static func passing(headerBytes: Int) -> [Probe] {
        // Of a size that the buffers are made for.
        let long = String(repeating: "x", count: headerBytes / 2)
        return [
            Probe(
                name: "two requests in one packet",
                bytes: "GET /a%20b?c=d HTTP/1.1\r\nHost: self-test\r\nX-Padded:  e f\r\n\r\n" + plain,
                expected: [.passed("GET", "/a%20b?c=d", [host, ["X-Padded", "e f"]]), plainFound]),
            Probe(
                name: "a request with a body",
                bytes: "POST /a HTTP/1.1\r\nHost: self-test\r\nContent-Length: 3\r\n\r\nabc",
                expected: [.passed("POST", "/a", [host, ["Content-Length", "3"]], length: 3)]),
            Probe(
                name: "a long head", bytes: "GET /a HTTP/1.1\r\nX-Long: \(long)\r\nHost: self-test\r\n\r\n",
                expected: [.passed("GET", "/a", [["X-Long", long], host])]),
        ]
    }

    private static let refused = [
        Probe(
            name: "a zero byte in a field",
            bytes: "GET /a HTTP/1.1\r\nHost: self-test\r\nX-Cut: a\0b\r\n\r\n",
            expected: [.refused(BURN_HTTP_BAD_REQUEST_LINE)]),
        Probe(
            name: "a zero byte in the target", bytes: "GET /a\0b HTTP/1.1\r\nHost: self-test\r\n\r\n",
            expected: [.refused(BURN_HTTP_BAD_REQUEST_LINE)]),
        Probe(
            name: "a bare line feed", bytes: "GET /a HTTP/1.1\r\nHost: self-test\nX-Bare: a\r\n\r\n",
            expected: [.refused(BURN_HTTP_BAD_REQUEST_LINE)]),
        Probe(
            name: "an empty line before the request", bytes: "\r\n" + plain,
            expected: [.refused(BURN_HTTP_BYTES_BEFORE)]),
        Probe(
            name: "a line behind a zero byte before the request", bytes: "\0PUT / HTTP/1.1\r\n" + plain,
            expected: [.refused(BURN_HTTP_BYTES_BEFORE)]),
        Probe(
            name: "an empty line between requests", bytes: plain + "\r\n" + plain,
            expected: [plainFound, .refused(BURN_HTTP_BYTES_BEFORE)]),
        Probe(
            name: "a length beside an encoding",
            bytes: "POST /a HTTP/1.1\r\nHost: self-test\r\nContent-Length: 3\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nabc",
            expected: [.refused(BURN_HTTP_LENGTH_AND_ENCODING)]),
        Probe(
            name: "a control byte",
            bytes: "GET /a HTTP/1.1\r\nHost: self-test\r\nX-Bell: a\u{7}\r\n\r\n",
            expected: [.refused(BURN_HTTP_BAD_FIELD)]),
        Probe(
            name: "two hosts", bytes: "GET /a HTTP/1.1\r\nHost: self-test\r\nHost: other\r\n\r\n",
            expected: [.refused(BURN_HTTP_BAD_HOST)]),
    ]
}
