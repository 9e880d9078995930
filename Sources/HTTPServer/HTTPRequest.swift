import Foundation
import HTTPTypes
import Support

/// What is known of a request before a byte of its body is read.
public struct HTTPRequestHead: Sendable {
    public var method: HTTPMethod
    /// The path as its client wrote it, percent-encoded, without the query. For logs; routing uses `segments`.
    public var path: String
    /// The path's segments, percent-decoded one by one: `/a%2Fb/c` is `["a/b", "c"]`, `/` is `[]`.
    /// A segment may hold any character, so never build a file path from one: match ids by pattern.
    public var segments: [String]
    /// The query's items in order, percent-decoded, `+` as a space.
    public var query: [HTTPQueryItem]
    public var headers: HTTPFields
    /// The length of the body that follows. Nil without one.
    public var contentLength: UInt64?
    /// The client's address without port, such as `127.0.0.1` or `::1`. Behind a trusted proxy: its client's.
    public var remoteAddress: String
    /// What limits for each client count by, and who the log says it was: the address, or the API key's id.
    public var client: String
    /// The client's X-Request-Id where it has a sound one, else 32 lower-case hexadecimal digits of the
    /// server's. Sent back as `X-Request-Id`.
    public var id: String
    /// Where the service stands for the client; not in `segments`.
    public var base = BasePath.top
    /// Filled by `Router` from the pattern: `/v1/jobs/{id}` gives `["id": …]`.
    public var parameters: [String: String] = [:]
    /// Who asks; set by the stage that authenticates.
    public var principal: (any Sendable)?
    /// What a stage reserved for the request; released when the request has ended.
    public var reservation: (any Sendable)?

    /// A request that never saw a socket, for tests of handlers and routes.
    public init(
        method: HTTPMethod, target: String, headers: HTTPFields = [:], contentLength: UInt64? = nil,
        remoteAddress: String = "127.0.0.1", id: String = HTTPRequestHead.makeID()
    ) throws {
        let target = try RequestTarget(target)
        if let authority = target.authority, authority.lowercased() != headers.first(.hostField)?.lowercased()
        {
            throw Problem(
                .malformed, code: "host-malformed", title: "The request names two hosts",
                detail: "its target names \(authority.prefix(200)), its Host another one", location: "Host",
                fix: "Send the same host in both, or a target that is only a path.")
        }
        self.method = method
        path = target.path
        segments = target.segments
        query = target.query
        self.headers = headers
        self.contentLength = contentLength
        self.remoteAddress = remoteAddress
        client = remoteAddress
        self.id = id
    }

    /// The first value of a query item, nil when it is absent.
    public func queryValue(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// Whether a client's X-Request-Id can be taken over: it ends up in logs and in other systems.
    static func isSoundID(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// A fresh random request id.
    public static func makeID() -> String {
        let bits = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        return hexadecimal(bits.0) + hexadecimal(bits.1)
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}

public struct HTTPQueryItem: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A request with its body, complete.
public struct HTTPRequest: Sendable {
    public enum Body: Sendable {
        case none
        /// A body collected in memory (`BodyPlan.collect`).
        case data(Data)
        /// The sink that took the whole body; its `finish()` has returned without an error.
        case sink(any BodySink)
    }

    public var head: HTTPRequestHead
    public var body: Body

    public init(head: HTTPRequestHead, body: Body = .none) {
        self.head = head
        self.body = body
    }

    /// The collected bytes; empty when there are none.
    public var data: Data {
        if case .data(let data) = body { data } else { Data() }
    }
}
