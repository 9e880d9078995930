import API
import HTTPServer
import Problems

/// What must hold before the service listens on an address that others can reach.
enum ListenPolicy {
    /// - Throws: `Problem` `listen-without-keys`, `listen-without-tls`.
    static func check(_ configuration: Configuration, keys: KeyRing) throws {
        guard !configuration.listen.isLoopback else { return }
        guard keys.hasUsableKey() else {
            throw Problem(
                .forbidden, code: "listen-without-keys", title: "Refusing to listen beyond this machine",
                detail: "\(configuration.listen) can be reached by others, and there is no usable API key.",
                location: "listen",
                fix: "Make one: burnd keys create NAME --scope submit --data \(configuration.dataDirectory). "
                    + "Or listen on 127.0.0.1 or [::1].")
        }
        guard configuration.tls.certificate != nil || configuration.insecureHTTP else {
            throw Problem(
                .forbidden, code: "listen-without-tls", title: "Refusing to listen beyond this machine",
                detail:
                    "\(configuration.listen) can be reached by others, and API keys would cross the network "
                    + "in the clear.",
                location: "listen",
                fix:
                    "Set tls.certificate and tls.key; or listen on loopback behind a proxy that does TLS; or, "
                    + "where a trusted network or a proxy in front protects the way, insecure_http: true.")
        }
    }

    /// The hosts that requests may name.
    static func hosts(_ configuration: Configuration) -> HostStage {
        let listen = configuration.listen
        let own = listen.host.contains(":") ? "[\(listen.host)]" : listen.host
        let loopback = listen.isLoopback ? ["localhost", "127.0.0.1", "[::1]"] : []
        let isWildcard = ["0.0.0.0", "::"].contains(listen.host)
        // A proxy in front may do TLS.
        let isDirect =
            listen.isLoopback && configuration.allowedHosts.isEmpty && configuration.trustedProxies.isEmpty
        let scheme = configuration.tls.certificate != nil ? "https" : isDirect ? "http" : nil
        return HostStage(
            names: configuration.allowedHosts + [own] + loopback,
            anyAddress: isWildcard && configuration.allowedHosts.isEmpty, scheme: scheme,
            pages: configuration.allowedHosts)
    }
}
