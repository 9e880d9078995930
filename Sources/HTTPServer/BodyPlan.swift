import Support

/// What to do with a request's body, decided from its head alone.
public enum BodyPlan: Sendable {
    /// No body is expected. A body of up to 64 KiB is read and dropped, a longer one answered 413.
    case none
    /// Collect in memory, at most `limit` bytes; longer bodies are answered 413 before a byte is read.
    case collect(limit: Int)
    /// Stream into a sink, at most `limit` bytes. Needs a Content-Length: 411 without one.
    case stream(to: any BodySink, limit: UInt64)
    /// Answer now. The body is not read; the connection is closed in an orderly way after the answer.
    case reject(HTTPResponse)
}

/// Takes an upload's bytes, one call at a time, on a Dispatch queue of the server's: calls may block.
///
/// After `write`s come either `finish()` or, when anything failed or the client went away, `abort()`.
/// When `finish()` throws, `abort()` follows. A `Problem` thrown from `write` or `finish` becomes the
/// response; any other error a 500.
public protocol BodySink: AnyObject, Sendable {
    /// - Parameter bytes: the next bytes, at most 256 KiB, valid during the call only.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    func finish() throws
    func abort()
}

/// Answers requests. `Router` is the usual one.
public protocol HTTPHandler: Sendable {
    /// Called once the header section is complete, before any body byte is read.
    func begin(_ head: HTTPRequestHead) async -> RequestPlan
    /// Whether a request for this path (as it came, without the query) must not wait behind others: its task runs
    /// before theirs, on threads of its own. Called on an event thread.
    func isUrgent(_ path: String) -> Bool
}

extension HTTPHandler {
    public func isUrgent(_ path: String) -> Bool { false }
}

/// One request's way through a handler: what happens to the body, then who answers.
public struct RequestPlan: Sendable {
    /// The route's pattern (`/v1/jobs/{id}`), the label of metrics. Nil when no route matched.
    public var route: String?
    /// The request as the stages left it; nil: unchanged.
    public var head: HTTPRequestHead?
    /// The stage that refused the request.
    public var refusedBy: String?
    public var body: BodyPlan
    /// Called with the complete body. Not called when `body` is `.reject`, or the body failed.
    public var respond: @Sendable (HTTPRequest) async -> HTTPResponse

    public init(
        route: String?, body: BodyPlan = .none,
        respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        self.route = route
        self.body = body
        self.respond = respond
    }

    static func refused(by stage: String?, route: String? = nil, with response: HTTPResponse) -> RequestPlan {
        var plan = RequestPlan(route: route, body: .reject(response)) { _ in response }
        plan.refusedBy = stage
        return plan
    }
}
