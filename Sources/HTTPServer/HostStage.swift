import Problems

/// Answers only requests that name this service, against DNS rebinding: a page of another site whose name
/// was made to point here still sends that name, in Host and in Origin.
public struct HostStage: RequestStage {
    public let name = "host"
    private let names: Set<String>
    private let anyAddress: Bool

    /// - Parameters:
    ///   - names: hosts without port, such as `burn.example.org`, `127.0.0.1` or `[::1]`.
    ///   - anyAddress: also take any numeric address: no name leads to one, so rebinding has no use for it.
    public init(names: [String], anyAddress: Bool = false) {
        self.names = Set(names.map { $0.lowercased() })
        self.anyAddress = anyAddress
    }

    public func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        // Probes by a load balancer name what they like.
        if route.access == .open { return }
        // HTTP/1.0 may leave Host out; no browser does.
        if let host = head.headers["Host"], !allows(host: host) {
            throw HTTPRefusal(
                Problem(
                    .forbidden, code: "host-not-allowed", title: "The Host is not one of this service",
                    detail: "the request is for \(host.prefix(200))", location: "Host",
                    fix:
                        "use an address of the service, or add the host to allowed_hosts in its configuration"
                ),
                status: 421)
        }
        for origin in head.headers.all("Origin") where !allows(origin: origin) {
            throw HTTPRefusal(
                Problem(
                    .forbidden, code: "origin-not-allowed", title: "Requests from this site are not taken",
                    detail: "a browser sent it for a page of \(origin.prefix(200))", location: "Origin",
                    fix: "other sites' pages may not use this service"))
        }
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

    func allows(origin: String) -> Bool {
        guard let match = origin.wholeMatch(of: /(?i:https?):\/\/([^\/?#@]+)/) else { return false }
        return allows(host: String(match.1))
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
