import API
import Foundation
import HTTPServer
import JobStore
import Support
import Testing

@testable import burnd

@Suite struct ListenPolicyTests {
    private func configuration(_ listen: String, _ change: (inout Configuration) -> Void = { _ in }) throws
        -> Configuration
    {
        var configuration = Configuration()
        configuration.listen = try ListenAddress(parsing: listen)
        change(&configuration)
        return configuration
    }

    private func ring(expiresAt: Date? = nil, revokedAt: Date? = nil) -> KeyRing {
        KeyRing([
            KeyRecord(
                id: "key_00000000000000000000000000", name: "a", secretSHA256: "", scope: .read,
                expiresAt: expiresAt, revokedAt: revokedAt)
        ])
    }

    private func code(_ configuration: Configuration, _ keys: KeyRing) -> String? {
        do { try ListenPolicy.check(configuration, keys: keys) } catch { return (error as? Problem)?.code }
        return nil
    }

    @Test func onlyLoopbackGoesWithoutKeysAndTLS() throws {
        #expect(code(try configuration("127.0.0.1:80"), KeyRing()) == nil)
        for listen in ["0.0.0.0:80", "[::]:80", "192.168.0.5:80"] {
            let plain = try configuration(listen)
            #expect(code(plain, KeyRing()) == "listen-without-keys")
            #expect(code(plain, ring(expiresAt: .distantPast)) == "listen-without-keys")
            #expect(code(plain, ring(revokedAt: Date())) == "listen-without-keys")
            #expect(code(plain, ring()) == "listen-without-tls")
            #expect(code(try configuration(listen) { $0.insecureHTTP = true }, ring()) == nil)
            #expect(code(try configuration(listen) { $0.tls.certificate = "c" }, ring()) == nil)
            #expect(
                code(try configuration(listen) { $0.insecureHTTP = true }, KeyRing()) == "listen-without-keys"
            )
        }
    }

    @Test(arguments: [
        ("127.0.0.1:80", [], "localhost:80", true), ("127.0.0.1:80", [], "burn.example.org", false),
        ("127.0.0.1:80", ["burn.example.org"], "burn.example.org", true),
        ("[::1]:80", [], "[::1]:80", true), ("10.0.0.5:80", [], "10.0.0.5", true),
        ("10.0.0.5:80", [], "localhost", false), ("0.0.0.0:80", [], "10.9.9.9", true),
        ("0.0.0.0:80", [], "burn.example.org", false),
        ("0.0.0.0:80", ["burn.example.org"], "10.9.9.9", false),
        ("0.0.0.0:80", ["burn.example.org"], "burn.example.org:443", true),
    ])
    func theHostsAreThoseOfTheAddressAndTheConfiguration(
        listen: String, names: [String], host: String, allowed: Bool
    ) async throws {
        let stage = ListenPolicy.hosts(try configuration(listen) { $0.allowedHosts = names })
        var head = try HTTPRequestHead(method: .get, target: "/", headers: [.hostField: host])
        let route = RouteDescription(pattern: "/", access: .read)
        do {
            try await stage.admit(&head, to: route)
            #expect(allowed)
        } catch {
            #expect(!allowed)
        }
    }

    @Test(
        arguments: [
            ("30d", 2_592_000), ("12h", 43_200), ("d", nil), ("0d", nil), ("-1d", nil), ("30", nil),
            ("1y", nil),
        ] as [(String, Double?)])
    func expiriesAreDaysOrHours(text: String, seconds: Double?) {
        #expect(CreateKeyCommand.seconds(text) == seconds)
    }

    @Test func tlsNeedsBothFiles() throws {
        for change in [{ $0.tls.key = "k" }, { $0.tls.certificate = "c" }] as [(inout Configuration) -> Void]
        {
            let half = try configuration("127.0.0.1:0", change)
            #expect(throws: Problem.self) { try half.server() }
        }
    }
}
