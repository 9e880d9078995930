import Foundation
import Problems

/// Where a service is: scheme, host and port, and a path where a proxy serves it below one.
public struct ServiceAddress: Hashable, Sendable {
    public let url: URL

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
        self.url = url
    }

    private static func isLoopback(_ host: String) -> Bool {
        let name = host.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return name == "localhost" || name == "::1"
            || (name.hasPrefix("127.") && name.split(separator: ".").count == 4)
    }
}
