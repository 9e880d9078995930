import HTTPTypes
import Support

/// The least right that a request needs. Each contains the ones before it.
public enum AccessLevel: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Anybody who can connect.
    case open
    case read, submit, admin

    public static func < (lesser: Self, greater: Self) -> Bool { lesser.rank < greater.rank }

    private var rank: Int {
        switch self {
        case .open: 0
        case .read: 1
        case .submit: 2
        case .admin: 3
        }
    }
}

/// What is known of the route that a request is meant for, before it gets there.
public struct RouteDescription: Sendable, Hashable {
    /// Nil when no route has the path.
    public var pattern: String?
    /// Of the method's route. Where the path has no such method, or is nobody's, reading is enough: the
    /// answer is an error that tells as much as the OpenAPI document does.
    public var access: AccessLevel
    /// Whether the body is an upload, which quotas count.
    public var isUpload: Bool

    public init(pattern: String?, access: AccessLevel, isUpload: Bool = false) {
        self.pattern = pattern
        self.access = access
        self.isUpload = isUpload
    }
}

/// One gate on a request's way to its route.
///
/// The whole way: connection limits and header deadline (the shim's monitor), the framing gate (the shim), then
/// the router's stages in their order, then the route.
public protocol RequestStage: Sendable {
    /// Its name in metrics.
    var name: String { get }
    /// Lets the request pass, perhaps with more known about it, or throws the `Problem` or `HTTPRefusal` to
    /// answer with.
    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws
}

/// A `Problem` with a status or headers of its own.
public struct HTTPRefusal: Error {
    public var problem: Problem
    /// Nil: the category's.
    public var status: HTTPResponse.Status?
    public var headers: HTTPFields

    public init(_ problem: Problem, status: HTTPResponse.Status? = nil, headers: HTTPFields = [:]) {
        self.problem = problem
        self.status = status
        self.headers = headers
    }
}
