import Foundation

/// Scheme, host and port of an address.
public struct WebhookOrigin: Hashable, Sendable, CustomStringConvertible {
    /// Plain HTTP only where the configuration says so in full.
    public let isEncrypted: Bool
    /// In lower case; an IPv6 address without brackets.
    public let host: String
    public let port: UInt16

    /// `hooks.example.org`, `hooks.example.org:8443` or `https://hooks.example.org` for TLS,
    /// `http://127.0.0.1:9000` without.
    /// - Returns: nil for any other text.
    public init?(_ text: String) {
        guard let address = try? WebhookAddress(text.contains("://") ? text : "https://" + text),
            address.target == "/", !text.hasSuffix("/")
        else { return nil }
        self = address.origin
    }

    init(isEncrypted: Bool, host: String, port: UInt16) {
        self.isEncrypted = isEncrypted
        self.host = host
        self.port = port
    }

    /// As Host names it.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? name : "\(name):\(port)"
    }

    public var description: String { isEncrypted ? authority : "http://" + authority }
}

/// Where a job's end is told.
public struct WebhookAddress: Hashable, Sendable {
    public let origin: WebhookOrigin
    /// Path and query, as they are sent.
    let target: String

    public struct Malformed: Error, Hashable {
        public let detail: String
    }

    public init(_ text: String) throws(Malformed) {
        guard (1...2000).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let parts = URLComponents(string: text), let host = parts.host?.lowercased(),
            let match = host.wholeMatch(of: /\[([0-9a-f:.]+)\]|([a-z0-9._\-]+)/)
        else {
            throw Malformed(detail: "It is no URL with a host, of up to 2000 printable ASCII characters.")
        }
        guard let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme) else {
            throw Malformed(detail: "It begins with neither https:// nor http://.")
        }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else {
            throw Malformed(detail: "It holds a user, a password or a fragment.")
        }
        guard let port = UInt16(exactly: parts.port ?? (scheme == "https" ? 443 : 80)), port > 0 else {
            throw Malformed(detail: "Its port is none from 1 to 65535.")
        }
        origin = WebhookOrigin(
            isEncrypted: scheme == "https", host: String(match.1 ?? match.2 ?? ""), port: port)
        let path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        target = path + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
    }
}
