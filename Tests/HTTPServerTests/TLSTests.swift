import Foundation
import HTTPServer
import RawHTTP
import Support
import Testing

/// TLS against curl, as a client that knows nothing of this server.
@Suite struct TLSTests {
    /// A key and a certificate for 127.0.0.1 that signs itself, made by openssl.
    private struct Identity {
        let folder = NSTemporaryDirectory() + "burn-tls-" + UUID().uuidString
        var certificate: String { folder + "/certificate.pem" }
        var key: String { folder + "/key.pem" }

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let made = try TLSTests.run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", key, "-out", certificate,
            ])
            try #require(made.status == 0)
        }
    }

    private static func run(_ command: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    private func withTLSServer(_ body: (HTTPServer, ([String]) throws -> String) throws -> Void) async throws
    {
        let identity = try Identity()
        defer { try? FileManager.default.removeItem(atPath: identity.folder) }
        let certificate = try TLSCertificate(certificateFile: identity.certificate, keyFile: identity.key)
        try await withServer({ $0.certificate = certificate }) { server, _ in
            try body(server) { arguments in
                let address = "https://127.0.0.1:\(server.port)"
                let common = ["curl", "-sS", "--max-time", "20", "--cacert", identity.certificate]
                let rest = arguments.map { $0.hasPrefix("/") && !$0.hasPrefix("//") ? address + $0 : $0 }
                return try Self.run(common + rest.map { $0.hasPrefix("//") ? String($0.dropFirst()) : $0 })
                    .output
            }
        }
    }

    @Test func servesRequestsUploadsFilesAndStreams() async throws {
        try await withTLSServer { _, curl in
            let health = try curl(["-i", "/healthz"])
            #expect(health.hasSuffix(#"{"status":"ok"}"#))
            #expect(health.lowercased().contains("strict-transport-security: max-age="))
            #expect(try curl(["/rows"]).hasSuffix("row,19999\n"))
            let range = try curl(["-r", "5-9", "/file"])
            #expect(Data(range.utf8).count >= 5)
            let digest = try curl(["-X", "POST", "-T", "/" + sampleFile.path, "/v1/uploads"])
            #expect(digest.count == 64)
        }
    }

    @Test func deliversARefusalInMidBody() async throws {
        let path = NSTemporaryDirectory() + "burn-tls-body-" + UUID().uuidString
        try Data(count: 8 << 20).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withTLSServer { _, curl in
            for (target, status) in [("/v1/uploads?fail=300000", "507"), ("/nowhere", "404")] {
                let answer = try curl([
                    "-o", "//dev/stdout", "-w", "\n%{http_code} %{content_type}", "-H", "Expect:", "-X",
                    "POST",
                    "-T", "/" + path, target,
                ])
                #expect(answer.hasSuffix("\n\(status) application/problem+json"), "\(target): \(answer)")
                #expect(answer.contains(#""status":"# + status))
            }
        }
    }

    @Test func plainHTTPAndOldVersionsGetNothing() async throws {
        try await withTLSServer { server, curl in
            let plain = try RawClient(port: server.port)
            plain.send("GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(!(try plain.rest().contains("HTTP/1.1 200")))
            #expect(try curl(["--tls-max", "1.1", "/healthz"]) == "")
            #expect(try curl(["--tls-max", "1.2", "/healthz"]).contains("ok"))
            #expect(try curl(["--tlsv1.3", "/healthz"]).contains("ok"))
        }
    }

    @Test func mistakesAreNamed() async throws {
        let identity = try Identity()
        let other = try Identity()
        defer {
            for folder in [identity.folder, other.folder] {
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
        func code(_ body: () throws -> Void) -> String? {
            do { try body() } catch { return (error as? Problem)?.code }
            return nil
        }
        #expect(
            code { _ = try TLSCertificate(certificateFile: "/nowhere", keyFile: identity.key) }
                == "tls-file-unreadable")
        #expect(
            code { _ = try TLSCertificate(certificateFile: identity.key, keyFile: identity.key) }
                == "tls-file-invalid")
        var configuration = HTTPServerConfiguration()
        configuration.certificate = try TLSCertificate(
            certificateFile: identity.certificate, keyFile: other.key)
        #expect(
            code { _ = try HTTPServer.start(configuration: configuration, handler: Router()) }
                == "tls-unusable")
        chmod(identity.key, 0o644)
        #expect(
            code {
                _ = try TLSCertificate(certificateFile: identity.certificate, keyFile: identity.key)
            } == "tls-key-exposed")
    }
}
