import Support

/// A host and port to listen on, written `HOST:PORT`; an IPv6 host stands in brackets: `[::1]:8080`.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    var host: String
    /// 0 lets the system choose a free one.
    var port: UInt16

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// - Throws: `Problem` with code `configuration-invalid`.
    init(parsing text: String) throws {
        let refused = Problem(
            .malformed, code: "configuration-invalid", title: "The configuration is not valid",
            detail: "\"\(text)\" is not an address of the form HOST:PORT.",
            fix: "Write for example 127.0.0.1:8080, [::1]:8080, or 127.0.0.1:0 for any free port.")
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw refused }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw refused
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else { throw refused }
        self.init(host: String(host), port: port)
    }

    /// Whether only this machine can reach it.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts.allSatisfy { $0 != nil } && parts[0] == 127
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
