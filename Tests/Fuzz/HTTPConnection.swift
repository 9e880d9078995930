import Foundation
import HTTPServer
import Logging
import Synchronization

/// The bytes of a connection, sent to a server of this process: libmicrohttpd, the shim's gate, and all that follows.
/// A request that reaches the handler has to be one that a strict reader finds in the same bytes, in the same order,
/// with the same fields and the same body; nothing else may ever get there.
enum HTTPConnection {
    /// What reached the handler, by the client's address: each input comes from one of its own.
    private static let seen = Mutex<[String: [StrictRequest]]>([:])
    private static let number = Mutex(0)

    @Sendable static func exchange(_ input: Input) {
        let bytes = input.bytes
        let number = number.withLock { number in
            number = number % 0xFFFFF0 + 1
            return number
        }
        let address = "127.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
        let answer = send(bytes, from: address, waitsForTheEnd: number.isMultiple(of: waiting))
        require(answer.isEmpty || answer.starts(with: Array("HTTP/1.".utf8)), "an answer that is none")
        let expected = StrictRequest.read(bytes)
        let found = seen.withLock { $0.removeValue(forKey: address) ?? [] }
        require(
            found.count <= expected.count && zip(found, expected).allSatisfy { $0.agrees(with: $1) },
            "the handler got \(found); a strict reader finds \(expected)")
    }

    /// Half a request is waited for until its deadline. One input of so many waits with the server; the others leave.
    private static let waiting = 32

    private static let server: HTTPServer = {
        var configuration = HTTPServerConfiguration()
        configuration.headerBytes = 2048
        configuration.headerDeadline = .seconds(2)
        configuration.idleTimeout = .seconds(2)
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        do {
            return try HTTPServer.start(configuration: configuration, handler: Recorder(), logger: logger)
        } catch {
            finding("the server does not start: \(error)")
        }
    }()

    private struct Recorder: HTTPHandler {
        func begin(_ head: HTTPRequestHead) async -> RequestPlan {
            let fields = head.headers.map { [$0.name.rawName, $0.value] }
            // A body that is never read makes the connection close; one that is read is compared.
            let isRefused = head.path.hasPrefix("/refuse")
            let record = StrictRequest(
                method: head.method.rawValue, target: head.path, fields: fields, body: [])
            let index = seen.withLock { seen in
                seen[head.remoteAddress, default: []].append(record)
                return seen[head.remoteAddress, default: []].count - 1
            }
            if isRefused {
                return RequestPlan(route: "/", body: .reject(.text("no", status: 400))) { _ in .text("") }
            }
            return RequestPlan(route: "/", body: .collect(limit: 4096)) { request in
                seen.withLock { $0[request.head.remoteAddress]?[index].body = Array(request.data) }
                return .text("yes")
            }
        }
    }

    /// All of the bytes, then the end of this side; everything that comes back, up to the end or to a silence.
    private static func send(_ bytes: [UInt8], from address: String, waitsForTheEnd: Bool) -> [UInt8] {
        let port = server.port
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var own = sockaddr_in(), other = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        other.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, address, &own.sin_addr)
        inet_pton(AF_INET, "127.0.0.1", &other.sin_addr)
        other.sin_port = port.bigEndian
        var patience = waitsForTheEnd ? timeval(tv_sec: 8, tv_usec: 0) : timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard client >= 0, with(&own, { bind(client, $0, $1) }) == 0,
            with(&other, { connect(client, $0, $1) }) == 0
        else { finding("no connection: \(String(cString: strerror(errno)))") }
        _ = Foundation.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        shutdown(client, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(client, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN, waitsForTheEnd { finding("the connection stays open") }
            if count <= 0 { return answer }
            answer += buffer[..<count]
        }
    }

    private static func with(
        _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

extension StrictRequest {
    /// Compared are the path alone (the handler sees it without the query and the authority), and a body once there
    /// is one: its answer may have come first.
    fileprivate func agrees(with strict: StrictRequest) -> Bool {
        let path = strict.target.prefix { $0 != "?" }
        return method == strict.method && (path == target || path.hasSuffix(target) || target == "/")
            && fields == strict.fields && (body == strict.body || body.isEmpty)
    }
}
