import HTTPServer
import Support
import WebAssets

/// The dashboard's own files. They are the same for everybody and need no key; what they show comes from the API, which
/// may ask for one.
extension RESTService {
    /// Scripts and styles come from this service alone, and none are written into the page. Images that need a key are
    /// fetched by script, hence `blob:`.
    private static let policy =
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        + "frame-ancestors 'none'"

    func addDashboardRoutes(to router: inout Router) {
        let dashboard = Dashboard.current
        router.on(.get, "/", access: .open) { request in
            let page = dashboard.page(below: request.head.base.description)
            return Self.reply(page, to: request.head, caching: "no-cache")
        }
        router.on(.get, "/assets/{path...}", access: .open) { request in
            guard let path = request.head.parameters["path"], let file = dashboard.file(at: path) else {
                throw Problem(
                    .notFound, code: "asset-not-found", title: "The dashboard has no such file",
                    detail: "There is none at \(request.head.path) in this version.",
                    fix: "Load the dashboard again: the service was updated.")
            }
            return Self.reply(file, to: request.head, caching: "public, max-age=31536000, immutable")
        }
    }

    private static func reply(_ file: Dashboard.File, to head: HTTPRequestHead, caching: String)
        -> HTTPResponse
    {
        let headers: HTTPFields = [
            .eTag: "\"\(file.digest)\"", .cacheControl: caching, .contentSecurityPolicy: policy,
            .crossOriginOpenerPolicy: "same-origin",
        ]
        let known = head.headers.list(.ifNoneMatch)
        guard !known.contains("*"), !known.contains(where: { $0.hasSuffix("\"\(file.digest)\"") }) else {
            return HTTPResponse(status: .notModified, headers: headers)
        }
        return .data(file.bytes, type: file.contentType, headers: headers)
    }
}
