import API
import HTTPServer
import Support

/// What must hold before the service listens on an address that others can reach.
enum ListenPolicy {
    /// - Throws: `Problem` `proxy-without-keys`, `listen-without-keys`, `listen-without-tls`.
    static func check(_ configuration: Configuration, keys: KeyRing) throws {
        try checkProxies(configuration, keys: keys)
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

    /// Both settings say that requests of others come in, by a proxy or under another name. They all come from loopback
    /// then, where without keys everybody may do everything.
    private static func checkProxies(_ configuration: Configuration, keys: KeyRing) throws {
        let set = [
            ("allowed_hosts", configuration.allowedHosts), ("trusted_proxies", configuration.trustedProxies),
        ].filter { !$0.1.isEmpty }
        guard let first = set.first, !keys.isUsed else { return }
        let names = set.map { "\($0.0) (\($0.1.joined(separator: ", ")))" }.joined(separator: " and ")
        throw Problem(
            .forbidden, code: "proxy-without-keys", title: "Refusing to serve others without API keys",
            detail: "\(names) let requests of others in, and without keys each of them may do everything.",
            location: first.0,
            fix: "Make one: burnd keys create NAME --scope submit --data \(configuration.dataDirectory). "
                + "Or remove the setting, for this machine alone.")
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
