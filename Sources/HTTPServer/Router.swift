import Foundation
import Support

/// Routes by method and path pattern. A pattern's `{name}` takes one segment of letters, digits, `_` and `-`
/// (at most 128), so that ids never carry anything else. A last `{name...}` takes the rest of the path, one or more
/// segments (at most 8) that may also have dots, but not first.
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
        var access: AccessLevel
        var isUpload: Bool
        var plan: Plan
        var respond: Respond
    }

    var routes: [Route] = []
    /// The first segments of the routes' paths.
    public private(set) var names: Set<String> = []
    /// Patterns without parameters whose requests go before all others: what a load balancer asks to learn whether
    /// the service is alive must be answered while others keep it busy.
    public var urgent: Set<String> = []
    /// Below which path the routes are.
    public var mount = Mount()
    /// What every request passes, in this order, before anything is said about the path and the method.
    public var stages: [any RequestStage] = []
    /// Called with every answer of a stage or a route before it is sent, for the audit log. Not called for
    /// a body that failed: such a request has done nothing.
    public var concluded: @Sendable (HTTPRequestHead, RouteDescription, HTTPResponse) async -> Void = {
        _, _, _ in
    }

    public init() {}

    /// Every route, in the order they were added.
    public var table: [(method: HTTPMethod, pattern: String)] { routes.map { ($0.method, $0.pattern) } }

    /// The right that a route needs; nil for a route that is not there.
    public func access(_ method: HTTPMethod, _ pattern: String) -> AccessLevel? {
        routes.first { $0.method == method && $0.pattern == pattern }?.access
    }

    /// Adds a route whose body plan is fixed (for JSON bodies: `.collect(limit:)`).
    public mutating func on(
        _ method: HTTPMethod, _ pattern: String, access: AccessLevel? = nil, body: BodyPlan = .none,
        respond: @escaping Respond
    ) {
        on(method, pattern, access: access, plan: { _ in body }, respond: respond)
    }

    /// Adds a route that decides about each body from the request's head (for uploads: `.stream(to:limit:)`).
    /// - Parameters:
    ///   - access: nil is reading for GET and submitting for all other methods.
    ///   - isUpload: the body counts towards the quotas of uploads.
    public mutating func on(
        _ method: HTTPMethod, _ pattern: String, access: AccessLevel? = nil, isUpload: Bool = false,
        plan: @escaping Plan, respond: @escaping Respond
    ) {
        let segments = pattern.split(separator: "/")
        if let first = segments.first { names.insert(String(first)) }
        routes.append(
            Route(
                method: method, pattern: pattern, segments: segments,
                access: access ?? (method == .get ? .read : .submit), isUpload: isUpload, plan: plan,
                respond: respond))
    }

    public func isUrgent(_ path: String) -> Bool { urgent.contains(mount.base.dropped(from: path)) }

    public func begin(_ head: HTTPRequestHead) async -> RequestPlan {
        var head = head
        do {
            try mount.enter(&head, names: names)
        } catch {
            let nowhere = RouteDescription(pattern: nil, access: .read)
            return await refuse(head, nowhere, .failure(error, head), by: "forwarded")
        }
        let matches = routes.compactMap { route in match(route, head.segments).map { (route, $0) } }
        overrideMethod(&head, matches.map(\.0))
        let wanted: HTTPMethod = head.method == .head ? .get : head.method
        let found = matches.first { $0.0.method == wanted }
        let description = RouteDescription(
            pattern: matches.first?.0.pattern, access: found?.0.access ?? .read,
            isUpload: found?.0.isUpload ?? false)
        head.parameters = found?.1 ?? [:]
        for stage in stages {
            do {
                try await stage.admit(&head, to: description)
            } catch {
                return await refuse(head, description, .failure(error, head), by: stage.name)
            }
        }
        guard description.pattern != nil else {
            return await refuse(head, description, .notFoundResponse(head))
        }
        guard let (route, _) = found else {
            return await refuse(head, description, methodResponse(head, matches.map(\.0.method)))
        }
        return await plan(head, route, description)
    }

    /// Clients behind a proxy that lets nothing but GET and POST pass say the method that they mean in a header. It is
    /// taken where the path has no POST of its own.
    private func overrideMethod(_ head: inout HTTPRequestHead, _ matches: [Route]) {
        guard head.method == .post, !matches.contains(where: { $0.method == .post }),
            let text = head.headers.first(Self.override), let method = Self.overrides[text.uppercased()],
            matches.contains(where: { $0.method == (method == .head ? .get : method) })
        else { return }
        head.method = method
    }

    private static let override = HTTPField.Name(literal: "X-HTTP-Method-Override")
    private static let overrides: [String: HTTPMethod] = ["PATCH": .patch, "DELETE": .delete]

    private func plan(_ head: HTTPRequestHead, _ route: Route, _ description: RouteDescription) async
        -> RequestPlan
    {
        let body: BodyPlan
        do {
            body = try await BasePath.$current.withValue(head.base) { try await route.plan(head) }
        } catch {
            return await refuse(head, description, .failure(error, head))
        }
        var plan = RequestPlan(route: route.pattern, body: body) { [concluded, head] request in
            var request = request
            request.head = head
            let response: HTTPResponse
            do {
                let answered = request
                response = try await BasePath.$current.withValue(head.base) {
                    try await route.respond(answered)
                }
            } catch { response = .failure(error, head) }
            await concluded(head, description, response)
            return response
        }
        plan.head = head
        return plan
    }

    private func refuse(
        _ head: HTTPRequestHead, _ route: RouteDescription, _ response: HTTPResponse, by stage: String? = nil
    ) async -> RequestPlan {
        await concluded(head, route, response)
        var plan = RequestPlan.refused(by: stage, route: route.pattern, with: response)
        plan.head = head
        return plan
    }

    private func match(_ route: Route, _ segments: [String]) -> [String: String]? {
        var parameters: [String: String] = [:]
        var segments = segments[...]
        var patterns = route.segments[...]
        if let last = patterns.last, last.hasSuffix("...}") {
            let rest = segments.dropFirst(patterns.count - 1)
            guard (1...8).contains(rest.count), rest.allSatisfy(Self.isFileName) else { return nil }
            parameters[String(last.dropFirst().dropLast(4))] = rest.joined(separator: "/")
            patterns.removeLast()
            segments = segments.prefix(patterns.count)
        }
        guard patterns.count == segments.count else { return nil }
        for (pattern, segment) in zip(patterns, segments) {
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

    private static func isFileName(_ text: String) -> Bool {
        !text.hasPrefix(".") && isID(text.replacing(".", with: ""))
    }

    private func methodResponse(_ head: HTTPRequestHead, _ methods: [HTTPMethod]) -> HTTPResponse {
        let allowed = Set(methods + (methods.contains(.get) ? [.head, .options] : [.options]))
        let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        if head.method == .options { return HTTPResponse(status: .noContent, headers: [.allow: allow]) }
        let problem = Problem(
            .malformed, code: "method-not-allowed", title: "The resource does not have this method",
            detail: "\(head.method.rawValue) is not defined for \(head.path)", fix: "use one of \(allow)")
        return .problem(problem, instance: head.path, status: .methodNotAllowed, headers: [.allow: allow])
    }
}
