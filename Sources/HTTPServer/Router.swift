import Foundation
import Problems

/// Routes by method and path pattern. A pattern's `{name}` takes one segment of letters, digits, `_` and `-`
/// (at most 128), so that ids never carry anything else.
///
/// HEAD is answered by GET's route, OPTIONS by the list of methods, an unknown path 404, a known
/// path with another method 405 with Allow. Errors thrown by hooks and routes become problem documents.
public struct Router: HTTPHandler {
    public typealias Respond = @Sendable (HTTPRequest) async throws -> HTTPResponse
    public typealias Plan = @Sendable (HTTPRequestHead) async throws -> BodyPlan

    struct Route: Sendable {
        var method: HTTPMethod
        var pattern: String
        var segments: [Substring]
        var plan: Plan
        var respond: Respond
    }

    var routes: [Route] = []
    /// Called after a route matched and before its body plan: throws a `Problem` to refuse (401, 403, 400 for
    /// a Host that is not ours). What it returns is the request's `principal`.
    public var authorize: @Sendable (HTTPRequestHead) async throws -> (any Sendable)? = { _ in nil }

    public init() {}

    /// Every route, in the order they were added.
    public var table: [(method: HTTPMethod, pattern: String)] { routes.map { ($0.method, $0.pattern) } }

    /// Adds a route whose body plan is fixed (for JSON bodies: `.collect(limit:)`).
    public mutating func on(
        _ method: HTTPMethod, _ pattern: String, body: BodyPlan = .none, respond: @escaping Respond
    ) {
        on(method, pattern, plan: { _ in body }, respond: respond)
    }

    /// Adds a route that decides about each body from the request's head (for uploads: `.stream(to:limit:)`).
    public mutating func on(
        _ method: HTTPMethod, _ pattern: String, plan: @escaping Plan, respond: @escaping Respond
    ) {
        let segments = pattern.split(separator: "/")
        routes.append(
            Route(method: method, pattern: pattern, segments: segments, plan: plan, respond: respond))
    }

    public func begin(_ head: HTTPRequestHead) async -> RequestPlan {
        let matches = routes.compactMap { route in match(route, head.segments).map { (route, $0) } }
        guard let pattern = matches.first?.0.pattern else { return refuse(nil, .notFoundResponse(head)) }
        let wanted: HTTPMethod = head.method == .head ? .get : head.method
        guard let (route, parameters) = matches.first(where: { $0.0.method == wanted }) else {
            return refuse(pattern, methodResponse(head, matches.map(\.0.method)))
        }
        var head = head
        head.parameters = parameters
        do {
            head.principal = try await authorize(head)
            let plan = try await route.plan(head)
            return RequestPlan(route: route.pattern, body: plan) { [head] request in
                var request = request
                request.head = head
                do { return try await route.respond(request) } catch { return .failure(error, head) }
            }
        } catch {
            return refuse(route.pattern, .failure(error, head))
        }
    }

    private func refuse(_ route: String?, _ response: HTTPResponse) -> RequestPlan {
        RequestPlan(route: route, body: .reject(response)) { _ in response }
    }

    private func match(_ route: Route, _ segments: [String]) -> [String: String]? {
        guard route.segments.count == segments.count else { return nil }
        var parameters: [String: String] = [:]
        for (pattern, segment) in zip(route.segments, segments) {
            if pattern.hasPrefix("{") {
                guard Self.isID(segment) else { return nil }
                parameters[String(pattern.dropFirst().dropLast())] = segment
            } else if pattern != segment[...] {
                return nil
            }
        }
        return parameters
    }

    private static func isID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
                default: false
                }
            }
    }

    private func methodResponse(_ head: HTTPRequestHead, _ methods: [HTTPMethod]) -> HTTPResponse {
        let allowed = Set(methods + (methods.contains(.get) ? [.head, .options] : [.options]))
        let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        if head.method == .options { return HTTPResponse(status: 204, headers: ["Allow": allow]) }
        let problem = Problem(
            .malformed, code: "method-not-allowed", title: "The resource does not have this method",
            detail: "\(head.method.rawValue) is not defined for \(head.path)", fix: "use one of \(allow)")
        return .problem(problem, instance: head.path, status: 405, headers: ["Allow": allow])
    }
}
