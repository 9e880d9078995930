import Support

/// Answers only requests that name this service, and none that a page of another origin had sent.
///
/// Against DNS rebinding: a page of another site whose name was made to point here still sends that name, in Host and in
/// Origin. Against pages of the same machine, which share the site but not the port: Origin has to be the service's own,
/// with its scheme and port. Browsers say as well how the page that asks is related (`Sec-Fetch-Site`): one of another site
/// is refused, and one of another origin of the same site may read at most, which the lack of CORS keeps from it.
public struct HostStage: RequestStage {
    public let name = "host"
    private let names: Set<String>
    private let anyAddress: Bool
    private let scheme: String?
    private let pages: Set<String>

    /// - Parameters:
    ///   - names: hosts without port, such as `burn.example.org`, `127.0.0.1` or `[::1]`.
    ///   - anyAddress: also take any numeric address: no name leads to one, so rebinding has no use for it.
    ///   - scheme: `http` or `https`, as browsers reach the service; nil where something in front may do TLS.
    ///   - pages: hosts whose pages, at their scheme's standard port, are the service's own although a proxy names
    ///     another Host.
    public init(names: [String], anyAddress: Bool = false, scheme: String? = nil, pages: [String] = []) {
        self.names = Set(names.map { $0.lowercased() })
        self.anyAddress = anyAddress
        self.scheme = scheme
        self.pages = Set(pages.map { $0.lowercased() })
    }

    public func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        // Probes by a load balancer name what they like.
        if route.access == .open { return }
        // HTTP/1.0 may leave Host out; no browser does.
        let host = head.headers.first(.hostField)
        if let host, !allows(host: host) {
            throw HTTPRefusal(
                Problem(
                    .forbidden, code: "host-not-allowed", title: "The Host is not one of this service",
                    detail: "the request is for \(host.prefix(200))", location: "Host",
                    fix:
                        "use an address of the service, or add the host to allowed_hosts in its configuration"
                ),
                status: .misdirectedRequest)
        }
        for origin in head.headers[values: .origin] where !allows(origin: origin, host: host) {
            throw Self.foreign("a browser sent it for a page of \(origin.prefix(200))", "Origin")
        }
        let isRead = head.method == .get || head.method == .head
        for relation in head.headers[values: .secFetchSite]
        where !(["same-origin", "none"].contains(relation) || (relation == "same-site" && isRead)) {
            throw Self.foreign(
                "a browser sent it for a page that is \(relation.prefix(40))", "Sec-Fetch-Site")
        }
    }

    private static func foreign(_ detail: String, _ field: String) -> HTTPRefusal {
        HTTPRefusal(
            Problem(
                .forbidden, code: "origin-not-allowed", title: "Requests from this site are not taken",
                detail: detail, location: field,
                fix: "Only pages of the service itself, with its scheme, host and port, may use it."))
    }

    /// - Parameter host: a Host field's value.
    func allows(host: String) -> Bool {
        guard let name = Self.name(of: host) else { return false }
        return names.contains(name) || (anyAddress && Self.isAddress(name))
    }

    /// Whether a text can stand in a list of hosts.
    public static func isHost(_ text: String) -> Bool {
        text.lowercased() == name(of: text)
    }

    /// - Parameters:
    ///   - origin: an Origin field's value.
    ///   - host: the Host that the request names.
    func allows(origin: String, host: String?) -> Bool {
        guard let match = origin.wholeMatch(of: /((?i:https?)):\/\/([^\/?#@]+)/),
            let page = Self.authority(String(match.2))
        else { return false }
        let pageScheme = match.1.lowercased()
        let port = page.port ?? Self.standardPort(pageScheme)
        if pages.contains(page.name), port == Self.standardPort(pageScheme) { return true }
        guard let own = host.flatMap(Self.authority), scheme == nil || scheme == pageScheme else {
            return false
        }
        return page.name == own.name && port == own.port ?? Self.standardPort(pageScheme)
    }

    private static func standardPort(_ scheme: String) -> Int { scheme == "https" ? 443 : 80 }

    /// The host in lower case, and its port where one is named.
    private static func authority(_ text: String) -> (name: String, port: Int?)? {
        guard let name = name(of: text) else { return nil }
        let port = text.dropFirst(name.utf8.count).drop { $0 == ":" }
        guard !port.isEmpty else { return (name, nil) }
        return Int(port).map { (name, $0) }
    }

    /// The host without its port, in lower case; nil for what is none.
    static func name(of host: String) -> String? {
        let host = host.lowercased()
        let parts = host.wholeMatch(of: /(\[[0-9a-f:.]+\]|[a-z0-9._\-]+)(?::[0-9]{0,5})?/)
        return parts.map { String($0.1) }
    }

    /// Whether a host is a numeric address.
    static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("[") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
