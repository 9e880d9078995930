import HTTPServer
import Support

/// Holds a key's scope against what the route needs.
struct AuthorizationStage: RequestStage {
    let name = "authorization"

    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard route.access != .open else { return }
        let access = (head.principal as? Principal)?.access ?? .open
        guard access < route.access else { return }
        let needed = route.access.rawValue
        throw HTTPRefusal(
            Problem(
                .forbidden, code: "scope-too-weak", title: "The API key may not do this",
                detail: "it needs the scope \(needed), the key has \(access.rawValue)",
                location: "Authorization", fix: "burnd keys create --scope \(needed) makes one that may"),
            headers: [
                .wwwAuthenticate: "Bearer realm=\"burn\", error=\"insufficient_scope\", scope=\"\(needed)\""
            ])
    }
}
