import HTTPServer
import Support
import Testing

/// Each stage alone, in front of a router without sockets.
@Suite struct StageTests {
    private func response(
        _ stages: [any RequestStage], _ target: String = "/v1/secret", headers: HTTPFields = [:],
        remoteAddress: String = "10.0.0.9"
    ) async throws -> (plan: RequestPlan, status: HTTPResponse.Status) {
        var router = Router()
        router.stages = stages
        router.on(.get, "/v1/secret") { .text("\($0.head.remoteAddress) \($0.head.client)") }
        router.on(.get, "/healthz", access: .open) { _ in .text("ok") }
        let head = try HTTPRequestHead(
            method: .get, target: target, headers: headers, remoteAddress: remoteAddress)
        let plan = await router.begin(head)
        if case .reject(let response) = plan.body { return (plan, response.status) }
        return (plan, await plan.respond(HTTPRequest(head: head)).status)
    }

    private static let named = HostStage(names: ["burn.example.org", "127.0.0.1", "[::1]"])

    @Test(arguments: [
        ("burn.example.org", true), ("BURN.example.org:8443", true), ("127.0.0.1:8080", true),
        ("[::1]:8080", true), ("burn.example.org.evil.net", false), ("evil.net", false), ("", false),
        ("burn.example.org@evil.net", false), ("127.0.0.1:80:80", false), ("burn.example.org:x", false),
        ("192.168.0.1", false), ("burn.example.org/", false),
    ])
    func onlyItsOwnHostsAreAnswered(host: String, allowed: Bool) async throws {
        let answer = try await response([Self.named], headers: [.hostField: host])
        #expect(answer.status == (allowed ? 200 : 421))
        #expect(answer.plan.refusedBy == (allowed ? nil : "host"))
    }

    private static let origins: [(String, String?, String?, Bool)] = [
        // origin, Host, scheme of the service, whether it is the service's own page
        ("https://burn.example.org", "burn.example.org", nil, true),
        ("http://burn.example.org", "burn.example.org", nil, true),
        ("https://BURN.example.org:8443", "burn.example.org:8443", nil, true),
        ("https://burn.example.org:443", "burn.example.org", nil, true),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "http", true),
        ("http://[::1]:1", "[::1]:1", "http", true),
        ("http://127.0.0.1", "127.0.0.1:80", "http", true),
        // Another port, scheme or name of the same machine.
        ("http://127.0.0.1:8081", "127.0.0.1:8080", "http", false),
        ("http://127.0.0.1", "127.0.0.1:8080", "http", false),
        ("https://127.0.0.1:8080", "127.0.0.1:8080", "http", false),
        ("https://127.0.0.1", "127.0.0.1", "http", false),
        ("http://localhost:8080", "127.0.0.1:8080", "http", false),
        ("http://127.0.0.1:99999999999999999999", "127.0.0.1:8080", "http", false),
        ("http://127.0.0.1:8080", nil, "http", false),
        ("https://burn.example.org:9", "burn.example.org", nil, false),
        // A listed host, where the proxy names another one.
        ("https://pages.example.org", "127.0.0.1:8080", nil, true),
        ("https://pages.example.org:444", "127.0.0.1:8080", nil, false),
        ("https://evil.net", "burn.example.org", nil, false), ("null", "burn.example.org", nil, false),
        ("https://burn.example.org@evil.net", "burn.example.org", nil, false),
        ("burn.example.org", "burn.example.org", nil, false),
        ("https://burn.example.org/x", "burn.example.org", nil, false),
        ("file://", "burn.example.org", nil, false), ("", "burn.example.org", nil, false),
    ]

    @Test(arguments: origins)
    func onlyItsOwnPagesMaySendRequests(origin: String, host: String?, scheme: String?, allowed: Bool)
        async throws
    {
        let stage = HostStage(
            names: ["burn.example.org", "127.0.0.1", "[::1]", "localhost"], scheme: scheme,
            pages: ["pages.example.org"])
        var headers: HTTPFields = [.origin: origin]
        headers[.hostField] = host
        #expect(try await response([stage], headers: headers).status == (allowed ? 200 : 403))
    }

    @Test(arguments: [
        ("same-origin", HTTPMethod.post, true), ("none", .post, true), ("none", .get, true),
        ("same-site", .get, true), ("same-site", .head, true), ("same-site", .post, false),
        ("same-site", .delete, false), ("cross-site", .get, false), ("cross-site", .post, false),
        ("Cross-Site", .get, false), ("", .get, false), ("same-origin, cross-site", .get, false),
    ])
    func aBrowsersWordForAnotherSiteIsTaken(relation: String, method: HTTPMethod, allowed: Bool) async throws
    {
        var head = try HTTPRequestHead(
            method: method, target: "/v1/secret", headers: [.hostField: "127.0.0.1", .secFetchSite: relation])
        let route = RouteDescription(pattern: "/v1/secret", access: .read)
        do {
            try await Self.named.admit(&head, to: route)
            #expect(allowed)
        } catch { #expect(!allowed) }
        // Pages that are open to all are linked to from elsewhere.
        try await Self.named.admit(&head, to: RouteDescription(pattern: "/", access: .open))
    }

    @Test(arguments: [
        ("application/json", true), ("Application/JSON; charset=utf-8", true),
        ("application/json;charset=\"UTF-8\"", true), ("application/json ; ", true),
        ("application/json; charset=latin1", false), ("application/json; charset=utf-8; charset=x", false),
        ("text/plain", false), ("text/plain;+json", false), ("text/plain; x=application/json", false),
        ("application/jsonx", false), ("application/json, text/plain", false), ("application/ld+json", false),
        ("application/json; charset", false), ("application/json; x=\"", false), ("", false),
        ("/json", false),
        ("application/", false), ("application/json\u{0}", false),
    ])
    func mediaTypesAreReadExactly(text: String, isJSON: Bool) {
        #expect((MediaType(text)?.isJSON ?? false) == isJSON)
    }

    @Test func probesMayNameAnyHost() async throws {
        #expect(try await response([Self.named], "/healthz", headers: [.hostField: "10.1.2.3"]).status == 200)
    }

    @Test func aServiceOnAllAddressesTakesAddressesButNoNames() async throws {
        let stage = HostStage(names: [], anyAddress: true)
        for (host, status) in [
            ("10.1.2.3:80", 200), ("[fe80::1]", 200), ("localhost", 421), ("10.1.2.3.evil.net", 421),
            ("10.1.2.300", 421),
        ] {
            #expect(try await response([stage], headers: [.hostField: host]).status.code == status, "\(host)")
        }
    }

    @Test(arguments: [
        ("10.0.0.9", "203.0.113.7", "203.0.113.7"), ("10.0.0.9", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.9", "1.2.3.4, 203.0.113.7, 10.0.0.8", "203.0.113.7"), ("10.0.0.9", "", "10.0.0.9"),
        ("10.0.0.9", "<script>", "10.0.0.9"), ("10.0.0.9", "1.2.3.4, unknown, 10.0.0.8", "10.0.0.8"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
    ])
    func onlyAProxyMayNameTheClient(remote: String, forwarded: String, expected: String) async throws {
        var head = try HTTPRequestHead(
            method: .get, target: "/", headers: [.xForwardedFor: forwarded], remoteAddress: remote)
        let stage = ForwardedStage(proxies: ["10.0.0.9", "10.0.0.8"])
        try await stage.admit(&head, to: RouteDescription(pattern: nil, access: .read))
        #expect(head.remoteAddress == expected)
        #expect(head.client == expected)
    }

    private struct Recording: RequestStage {
        var name: String
        var refuses = false

        func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
            head.client += " " + name
            if refuses {
                throw HTTPRefusal(
                    Problem(.rateLimited, code: "c", title: "t", detail: "d"), headers: [.retryAfter: "7"])
            }
        }
    }

    @Test func stagesRunInOrderAndTheFirstRefusalCounts() async throws {
        let stages = [Recording(name: "a"), Recording(name: "b", refuses: true), Recording(name: "c")]
        let answer = try await response(stages)
        #expect(answer.status == 429)
        #expect(answer.plan.refusedBy == "b")
        #expect(answer.plan.head?.client == "10.0.0.9 a b")
        guard case .reject(let refusal) = answer.plan.body else { return }
        #expect(refusal.headers[.retryAfter] == "7")
    }

    @Test func nothingIsSaidOfPathsAndMethodsBeforeTheStages() async throws {
        for target in ["/v1/secret", "/v1/nothing"] {
            let answer = try await response([Recording(name: "a", refuses: true)], target)
            #expect(answer.status == 429)
        }
    }

    @Test func accessFollowsTheMethodUnlessTold() {
        var router = Router()
        router.on(.get, "/a") { _ in .text("") }
        router.on(.post, "/a") { _ in .text("") }
        router.on(.get, "/b", access: .admin) { _ in .text("") }
        #expect(router.access(.get, "/a") == .read)
        #expect(router.access(.post, "/a") == .submit)
        #expect(router.access(.get, "/b") == .admin)
        #expect(router.access(.delete, "/a") == nil)
        #expect(AccessLevel.allCases.sorted() == [.open, .read, .submit, .admin])
    }
}
