import HTTPServer
import JobStore
import Support

/// What has an owner is changed by that key, or by an administrator's. To every other key it does not exist:
/// the answer is the one for an id that was never given out.
struct OwnershipStage: RequestStage {
    let name = "ownership"
    let store: JobStore

    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard let key = (head.principal as? Principal)?.key, key.scope != .admin,
            let kind = Self.kind(route), let id = head.parameters["id"]
        else { return }
        do {
            try await store.requireOwned(kind, id, by: key.id)
        } catch let problem as Problem where kind == .upload {
            throw HTTPRefusal(problem, headers: Tus.headers)
        }
    }

    /// What a route is about, where only its owner may ask for that: all changes, and every look at an upload.
    private static func kind(_ route: RouteDescription) -> OwnedKind? {
        let names = route.pattern?.split(separator: "/") ?? []
        guard names.count >= 3, names[0] == "v1", names[2] == "{id}" else { return nil }
        let kind = OwnedKind.allCases.first { $0.table == names[1] }
        return route.access > .read || kind == .upload ? kind : nil
    }
}
