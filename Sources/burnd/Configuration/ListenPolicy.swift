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
        let names = configuration.allowedHosts + [own]
        if listen.isLoopback { return HostStage(names: names + ["localhost", "127.0.0.1", "[::1]"]) }
        let isWildcard = ["0.0.0.0", "::"].contains(listen.host)
        return HostStage(names: names, anyAddress: isWildcard && configuration.allowedHosts.isEmpty)
    }
}
