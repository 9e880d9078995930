import Foundation
import Support
import Testing

@testable import Webhooks

@Suite struct WebhookTests {
    /// The example of Standard Webhooks' reference libraries.
    @Test func signaturesAreStandardWebhooks() throws {
        let secret = try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = WebhookRequest.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: #"{"test": 2432232314}"#,
            secret: [UInt8](secret))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test(arguments: [
        ("https://hooks.example.org", "hooks.example.org", "/"),
        ("HTTPS://Hooks.Example.org:443/a%20b?c=d&e", "hooks.example.org", "/a%20b?c=d&e"),
        ("https://hooks.example.org:8443/", "hooks.example.org:8443", "/"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9", "/x"), ("https://[::1]:7/x", "[::1]:7", "/x"),
    ])
    func addressesAreTaken(text: String, origin: String, target: String) throws {
        let address = try WebhookAddress(text)
        #expect(address.origin.description == origin)
        #expect(address.target == target)
        #expect(WebhookOrigin(origin) == address.origin)
    }

    @Test(arguments: [
        "", "hooks.example.org", "ftp://hooks.example.org", "https://user@hooks.example.org/", "https:///x",
        "https://u:p@hooks.example.org", "https://hooks.example.org/#x", "https://hooks.example.org:0/",
        "https://hooks.example.org:65536/", "https://hooks.example.org/\r\nX: y",
        "https://hooks.example.org/ a",
        "https://h\u{f6}oks.example.org/", "https://a/" + String(repeating: "x", count: 2000),
        "https://hooks.example.org\\@evil.example/",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: WebhookAddress.Malformed.self) { try WebhookAddress(text) }
        #expect(WebhookOrigin(text) == nil || text == "hooks.example.org")
    }

    @Test func onlyTheVeryHostPortAndSchemeAreAllowed() throws {
        let settings = WebhookSettings(
            hosts: ["hooks.example.org", "http://127.0.0.1:9"].compactMap(WebhookOrigin.init))
        for text in ["https://hooks.example.org/a", "https://HOOKS.example.org:443", "http://127.0.0.1:9/b"] {
            try settings.check(text, at: "/webhook")
        }
        for text in [
            "http://hooks.example.org/a", "https://hooks.example.org:8443/", "https://127.0.0.1:9/",
            "https://hooks.example.org.evil.net/", "http://127.0.0.1:90/", "http://localhost:9/",
            "https://evil.net/?https://hooks.example.org", "http://[::ffff:127.0.0.1]:9/",
        ] {
            let problem = #expect(throws: Problem.self) { try settings.check(text, at: "/webhook") }
            #expect(problem?.code == "webhook-host-not-allowed", "\(text)")
            #expect(problem?.detail.contains("hooks.example.org, http://127.0.0.1:9") == true)
        }
        let none = #expect(throws: Problem.self) {
            try WebhookSettings().check("https://hooks.example.org", at: "/webhook")
        }
        #expect(none?.code == "webhooks-not-configured" && none?.fix?.contains("webhooks.hosts") == true)
    }

    @Test func waitsDoubleUpToAnHour() {
        let settings = WebhookSettings(firstWait: 10)
        #expect((1...6).map(settings.wait) == [10, 20, 40, 80, 160, 320])
        #expect(settings.wait(after: 50) == 3600)
        #expect(settings.wait(after: .max) == 3600)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 200), ("HTTP/1.0 204\n", 204), ("HTTP/1.1 503 \r\n", 503),
        ("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\n", 201),
    ])
    func theStatusIsReadInPiecesOfAnySize(text: String, status: Int) throws {
        for size in [1, 3, 100] {
            var answer = WebhookAnswer()
            var found: Int?
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) where found == nil {
                found = try answer.take(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(found == status)
        }
    }

    @Test(arguments: [
        "HTTP/2 200\r\n", "HTTP/1.1 99999\r\n", "HTTP/1.1 -12 x\r\n", "SSH-2.0-OpenSSH\r\n", "\r\n",
        "HTTP/1.1 099 x\r\n", String(repeating: "x", count: 20_000), "HTTP/1.1 200OK\n",
    ])
    func whatIsNoAnswerIsRefused(text: String) {
        var answer = WebhookAnswer()
        #expect(throws: WebhookAnswer.Malformed.self) { try answer.take(Array(text.utf8)) }
    }

    @Test func theSecretsFileIsHeldAgainstItsForm() throws {
        let folder = NSTemporaryDirectory() + "burn-webhook-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/secret"
        func read(_ text: String, rights: Int = 0o600) throws -> [UInt8] {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: rights], ofItemAtPath: file)
            return try WebhookSettings.secret(inFile: file)
        }
        #expect(try read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").count == 24)
        for (text, rights, code) in [
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0o644, "webhook-secret-exposed"),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0o600, "webhook-secret-invalid"),
            ("whsec_c2hvcnQ=", 0o600, "webhook-secret-invalid"), ("whsec_!", 0o600, "webhook-secret-invalid"),
        ] {
            let problem = #expect(throws: Problem.self) { _ = try read(text, rights: rights) }
            #expect(problem?.code == code && problem?.fix != nil, "\(text)")
        }
        let missing = #expect(throws: Problem.self) {
            try WebhookSettings.secret(inFile: folder + "/none")
        }
        #expect(missing?.code == "webhook-secret-unreadable")
    }
}
