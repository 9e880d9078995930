import Foundation

/// What is known of a request before a byte of its body is read.
public struct HTTPRequestHead: Sendable {
    public var method: HTTPMethod
    /// The path as it came, percent-encoded, without the query. For logs; routing uses `segments`.
    public var path: String
    /// The path's segments, percent-decoded one by one: `/a%2Fb/c` is `["a/b", "c"]`, `/` is `[]`.
    /// A segment may hold any character, so never build a file path from one: match ids by pattern.
    public var segments: [String]
    /// The query's items in order, percent-decoded, `+` as a space.
    public var query: [HTTPQueryItem]
    public var headers: HTTPHeaders
    /// The length of the body that follows. Nil without one.
    public var contentLength: UInt64?
    /// The client's address without port, such as `127.0.0.1` or `::1`.
    public var remoteAddress: String
    /// Made by the server, also sent back as `X-Request-Id`: 32 lower-case hexadecimal digits.
    public var id: String
    /// Filled by `Router` from the pattern: `/v1/jobs/{id}` gives `["id": …]`.
    public var parameters: [String: String] = [:]
    /// Whatever the router's `authorize` hook returned for this request.
    public var principal: (any Sendable)?

    /// A request that never saw a socket, for tests of handlers and routes.
    public init(
        method: HTTPMethod, target: String, headers: HTTPHeaders = [:], contentLength: UInt64? = nil,
        remoteAddress: String = "127.0.0.1", id: String = HTTPRequestHead.makeID()
    ) throws {
        let target = try RequestTarget(target)
        self.method = method
        path = target.path
        segments = target.segments
        query = target.query
        self.headers = headers
        self.contentLength = contentLength
        self.remoteAddress = remoteAddress
        self.id = id
    }

    /// The first value of a query item, nil when it is absent.
    public func queryValue(_ name: String) -> String? {
        query.first { $0.name == name }?.value
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
