import Foundation
import Support

/// Where a service is: scheme, host and port, and a path where a proxy serves it below one.
public struct ServiceAddress: Hashable, Sendable {
    public let url: URL
    /// As it was given.
    public let text: String
    /// What requests name in Host, where that is not in `url`.
    let host: String?

    /// - Parameter allowsPlainHTTP: whether a key may be sent unencrypted to another machine.
    /// - Throws: `Problem` `address-invalid`.
    public init(_ text: String, allowsPlainHTTP: Bool = false) throws {
        func invalid(
            _ detail: String, _ fix: String = "Such as https://burn.example.org or http://127.0.0.1:8080."
        )
            -> Problem
        {
            Problem(
                .malformed, code: "address-invalid", title: "The service's address is not valid",
                detail: detail,
                location: "URL", fix: fix)
        }
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let parts = URLComponents(string: trimmed), let url = parts.url, let host = parts.host,
            !host.isEmpty
        else { throw invalid("\"\(text.prefix(200))\" is no URL with a host.") }
        guard parts.scheme == "https" || parts.scheme == "http" else {
            throw invalid("\"\(text.prefix(200))\" begins with neither https:// nor http://.")
        }
        guard parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil else {
            throw invalid("The address holds a user, a password, a query or a fragment.")
        }
        guard parts.scheme == "https" || allowsPlainHTTP || Self.isLoopback(host) else {
            throw invalid(
                "\(host) is another machine, and http:// would show the key to everyone on the way.",
                "Use https://, or --allow-plain-http where the network itself is safe.")
        }
        self.text = trimmed
        // Foundation's session takes no URL with an IPv6 address: swift-corelibs-foundation compares its host, without
        // brackets, with curl's, with them. This machine has a name besides.
        guard host.contains(":") else {
            (self.url, self.host) = (url, nil)
            return
        }
        var named = parts
        named.host = "localhost"
        guard Self.isLoopback(host), parts.scheme == "http", let local = named.url else {
            throw invalid(
                "\(host) is an IPv6 address, which Foundation's HTTP client does not take.",
                "Use a name that leads to it: one of DNS, or a line in /etc/hosts.")
        }
        self.url = local
        let bare = host.hasPrefix("[") ? host : "[\(host)]"
        self.host = bare + (parts.port.map { ":\($0)" } ?? "")
    }

    /// The path of a link that the service gave, below the address. A proxy may serve it below a path without telling it
    /// so; the link is then without that path.
    func path(of link: String) -> String {
        let base = url.path(percentEncoded: false)
        return link.hasPrefix(base + "/") ? String(link.dropFirst(base.count)) : link
    }

    /// Exactly `localhost`, or an address that is one: whatever else begins with "127." is a name, which leads where its
    /// owner likes.
    private static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var four = in_addr()
        // Four decimal numbers; no other spelling is taken.
        if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        let name = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        var six = in6_addr()
        guard inet_pton(AF_INET6, name, &six) == 1 else { return false }
        return withUnsafeBytes(of: six) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
    }
}
