import HTTPServer
import JobStore
import Support

/// Finds out whose key a request has (RFC 6750: `Authorization: Bearer TOKEN`).
struct AuthenticationStage: RequestStage {
    let name = "authentication"
    let ring: KeyRing
    /// Keys are needed even before the first one is made.
    let isRequired: Bool

    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        let fields = head.headers[values: .authorization]
        guard isRequired || ring.isUsed else {
            head.principal = Principal()
            return
        }
        guard !fields.isEmpty else {
            if route.access == .open { return }
            throw refusal("the request has no API key", challenge: "Bearer realm=\"burn\"")
        }
        let key = try authenticate(fields)
        head.principal = Principal(key: key)
        head.client = key.id
    }

    private func authenticate(_ fields: [String]) throws -> KeyRecord {
        let parts = fields[0].split(separator: " ", maxSplits: 1)
        guard fields.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw refusal("Authorization is not \"Bearer TOKEN\"")
        }
        guard let token = APIToken(String(parts[1])) else { throw refusal("the token is not one of BURN's") }
        do {
            return try ring.authenticate(token)
        } catch {
            throw refusal(error.rawValue)
        }
    }

    private func refusal(
        _ detail: String, challenge: String = "Bearer realm=\"burn\", error=\"invalid_token\""
    ) -> HTTPRefusal {
        HTTPRefusal(
            Problem(
                .unauthenticated, code: "unauthenticated", title: "A valid API key is needed",
                detail: detail, location: "Authorization",
                fix: "send Authorization: Bearer TOKEN; burnd keys create makes one"),
            headers: [.wwwAuthenticate: challenge])
    }
}
