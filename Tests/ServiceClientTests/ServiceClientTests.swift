import Foundation
import Support
import Testing

@testable import ServiceClient

@Suite struct ServiceClientTests {
    private static let stream =
        ": ping\r\n\r\nid: 1\nevent: state\ndata: {\"state\":\n data\ndata: \"running\"}\n\n"
        + "id: 2\r\nevent: progress\r\ndata:{\"progress\":0.5}\r\n\r\nretry: 5\n\ndata\n\nid: 3\rdata: é💥\r\r"

    /// Wherever the stream is cut, the events are the same.
    @Test func eventsDoNotDependOnThePieces() throws {
        let bytes = Data(Self.stream.utf8)
        var whole = EventLines()
        let expected = try whole.take(bytes)
        #expect(expected.map(\.id) == ["1", "2", "2", "3"])
        #expect(expected.map(\.kind) == ["state", "progress", "message", "message"])
        #expect(expected.map(\.data) == ["{\"state\":\n\"running\"}", "{\"progress\":0.5}", "", "é💥"])
        for size in [1, 2, 3, 7, 64] {
            var lines = EventLines()
            var events: [ServerEvent] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += try lines.take(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(events == expected, "\(size)")
        }
    }

    @Test func anEndlessLineIsNoStreamOfEvents() throws {
        var lines = EventLines()
        #expect(throws: EventLines.Oversized.self) {
            for _ in 0...17 { _ = try lines.take(Data(repeating: 0x61, count: 1 << 20)) }
        }
    }

    @Test(arguments: [
        "https://burn.example.org", "https://burn.example.org/below/", "http://127.0.0.1:8080",
        "http://[::1]:80",
        "http://localhost",
    ])
    func addressesThatAreTaken(text: String) throws {
        let address = try ServiceAddress(text)
        #expect(address.text == (text.hasSuffix("/") ? String(text.dropLast()) : text))
    }

    /// Foundation's session takes no IPv6 address: this machine's is reached by its name, and others are refused in words.
    @Test func addressesOfIPv6() throws {
        let local = try ServiceAddress("http://[::1]:8080")
        #expect(local.url.absoluteString == "http://localhost:8080")
        #expect(local.host == "[::1]:8080")
        let other = #expect(throws: Problem.self) { try ServiceAddress("https://[2001:db8::1]") }
        #expect(other?.fix?.contains("/etc/hosts") == true)
    }

    @Test(arguments: [
        "burn.example.org", "ftp://burn.example.org", "https://", "https://user:secret@host",
        "https://h/?a=1",
        "https://h/#a", "http://burn.example.org", "http://128.0.0.1", "http://127.evil.example",
        "file:///etc", "http://127.0.0.1.evil.example", "http://127.evil.example.org", "http://127.a.b.c",
        "http://127.0.0.256", "http://127.1", "http://127.0.0.1.", "http://127.0.0.0.1", "http://0127.0.0.1",
        "http://2130706433", "http://0x7f.0.0.1", "http://[::2]", "http://[::ffff:10.0.0.1]",
        "http://localhost.",
        "http://localhost.evil.example",
    ])
    func addressesThatAreRefused(text: String) {
        let problem = #expect(throws: Problem.self) { try ServiceAddress(text) }
        #expect(problem?.code == "address-invalid")
    }

    @Test func aKeyIsNotSentUnencryptedUnlessToldSo() throws {
        _ = try ServiceAddress("http://10.0.0.1:80", allowsPlainHTTP: true)
    }

    @Test func digestFields() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        let hexadecimal = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(ServiceClient.sha256(ofDigestField: "sha-256=:\(empty):") == hexadecimal)
        #expect(ServiceClient.sha256(ofDigestField: "sha-512=:AA==:, SHA-256=:\(empty):") == hexadecimal)
        for wrong in ["", "sha-256=\(empty)", "sha-256=:AA==:", "sha-256=::", "md5=:\(empty):"] {
            #expect(ServiceClient.sha256(ofDigestField: wrong) == nil, "\(wrong)")
        }
        let bytes = ResumableUpload.bytes(ofHexadecimal: hexadecimal)
        #expect(Data(bytes).base64EncodedString() == empty)
    }

    @Test func aFilesDigestIsThatOfItsBytes() throws {
        try withFolder { folder in
            let path = folder + "/file"
            try Data(repeating: 0x61, count: 1_000_000).write(to: URL(fileURLWithPath: path))
            // Known from FIPS 180's test of a million times "a".
            let digest = try FileDigest(path: path)
            #expect(digest.sha256 == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
            #expect(digest.bytes == 1_000_000)
            let problem = #expect(throws: Problem.self) { try FileDigest(path: folder + "/none") }
            #expect(problem?.code == "file-unreadable")
        }
    }

    @Test func theLoginIsItsOwnersAlone() throws {
        try withFolder { folder in
            let environment = ["XDG_CONFIG_HOME": folder]
            let none = #expect(throws: Problem.self) { try Credentials.current(environment) }
            #expect(none?.code == "not-logged-in")
            umask(0)
            try Credentials(url: "https://a", key: "secret").save(environment)
            let path = Credentials.path(environment)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let folderMode =
                try FileManager.default.attributesOfItem(atPath: folder + "/burn")[.posixPermissions] as? Int
            #expect(folderMode == 0o700)
            #expect(try Credentials.current(environment).key == "secret")
            // The key of one service is not sent to another one.
            #expect(try Credentials.current(environment.merging(["BURN_URL": "https://b"]) { $1 }).key == nil)
            #expect(try Credentials.current(environment.merging(["BURN_KEY": "other"]) { $1 }).key == "other")
            chmod(path, 0o640)
            let exposed = #expect(throws: Problem.self) { try Credentials.current(environment) }
            #expect(exposed?.code == "credentials-exposed")
            chmod(path, 0o600)
            try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            let damaged = #expect(throws: Problem.self) { try Credentials.current(environment) }
            #expect(damaged?.code == "credentials-damaged")
            #expect(try Credentials.remove(environment))
            #expect(try !Credentials.remove(environment))
        }
    }

    @Test func unfinishedUploadsAreRememberedByServiceKindAndContent() throws {
        try withFolder { folder in
            let ledger = UnfinishedUploads(["XDG_CONFIG_HOME": folder])
            let mark = UnfinishedUploads.Mark(service: "https://a", sha256: "1", kind: "model")
            let others = [
                UnfinishedUploads.Mark(service: "https://b", sha256: "1", kind: "model"),
                UnfinishedUploads.Mark(service: "https://a", sha256: "2", kind: "model"),
                UnfinishedUploads.Mark(service: "https://a", sha256: "1", kind: "dataset"),
            ]
            #expect(try ledger.upload(for: mark) == nil)
            try ledger.remember("upl_1", for: mark)
            #expect(try ledger.upload(for: mark) == "upl_1")
            for other in others { #expect(try ledger.upload(for: other) == nil) }
            try ledger.forget(mark)
            #expect(try ledger.upload(for: mark) == nil)
            // A damaged file is worth nothing, and costs nothing but bytes.
            try Data("[".utf8).write(to: URL(fileURLWithPath: ledger.path))
            try ledger.remember("upl_2", for: mark)
            #expect(try ledger.upload(for: mark) == "upl_2")
        }
    }

    @Test func nothingListensThere() async throws {
        var client = ServiceClient(address: try ServiceAddress("http://127.0.0.1:1"), key: nil)
        client.backoff = Backoff(tries: 2, first: .milliseconds(1))
        let problem = await #expect(throws: Problem.self) { try await client.get("/v1/version") }
        #expect(problem?.code == "service-unreachable" && problem?.category == .unavailable)
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "burn-client-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }
}
