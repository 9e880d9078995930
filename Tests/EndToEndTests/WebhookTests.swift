import Foundation
import HTTPServer
import Logging
import RawHTTP
import Support
import Testing

/// Finished jobs are told to another service: a real burnd, a real receiver, real sockets.
@Suite struct WebhookTests {
    private static let script =
        ServiceProcess.imports + """
            [job]
            phase boundary_analysis
            samples 5
            verdict
            finished

            """
    private static let secret = Data((0..<32).map { UInt8($0) })

    /// Takes what is sent, and answers as it is told.
    private final class Receiver: HTTPHandler {
        struct Seen: Sendable {
            var path: String
            var headers: HTTPFields
            var body: Data
        }

        private struct State {
            var answers: [HTTPResponse] = []
            var seen: [Seen] = []
        }
        private let state = Mutex(State())

        var seen: [Seen] { state.withLock { $0.seen } }
        /// The first requests are answered so, all others with 204.
        func answer(_ answers: [HTTPResponse]) { state.withLock { $0.answers = answers } }

        func begin(_ head: HTTPRequestHead) async -> RequestPlan {
            var plan = RequestPlan(route: "/", body: .collect(limit: 1 << 16)) { request in
                self.state.withLock { state in
                    state.seen.append(
                        Seen(path: request.head.path, headers: request.head.headers, body: request.data))
                    return state.answers.isEmpty
                        ? HTTPResponse(status: .noContent) : state.answers.removeFirst()
                }
            }
            plan.head = head
            return plan
        }

        func requests(_ count: Int) async throws -> [Seen] {
            for _ in 0..<200 where seen.count < count { try await Task.sleep(for: .milliseconds(50)) }
            return seen
        }
    }

    private func listen(_ receiver: Receiver, port: UInt16 = 0, certificate: TLSCertificate? = nil) throws
        -> HTTPServer
    {
        var configuration = HTTPServerConfiguration()
        configuration.port = port
        configuration.certificate = certificate
        return try HTTPServer.start(
            configuration: configuration, handler: receiver,
            logger: Logger(label: "receiver", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func withSecret(_ body: (String) async throws -> Void) async throws {
        let folder = try ServiceProcess.makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "secret")
        try "whsec_\(Self.secret.base64EncodedString())\n".write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        try await body(file.path)
    }

    private func service(_ hosts: String, _ secret: String, more: [String: String] = [:]) throws
        -> ServiceProcess
    {
        try ServiceProcess(
            script: Self.script,
            settings: [
                "BURND_WEBHOOKS_HOSTS": hosts, "BURND_WEBHOOKS_SECRET_FILE": secret,
                "BURND_WEBHOOKS_RETRY_SECONDS": "1",
            ].merging(more) { $1 })
    }

    /// - Returns: the answer to a scan's submission.
    private func submit(_ service: ServiceProcess, webhook: String, base: String = "") throws
        -> RawClient.Reply
    {
        let model = try service.post(
            "/v1/models", "Prefer: wait=20", body: Data(contentsOf: ServiceProcess.model))
        let dataset = try service.post("/v1/datasets", "Prefer: wait=20", body: ServiceProcess.archive)
        let body =
            #"{"type": "scan", "model": "\#(try model.id)", "dataset": "\#(try dataset.id)", "webhook": "\#(webhook)"}"#
        return try service.post(
            "\(base)/v1/jobs", "Content-Type: application/json", body: Data(body.utf8))
    }

    private func webhook(of job: String, _ service: ServiceProcess, until state: String) async throws
        -> [String: Any]
    {
        for _ in 0..<200 {
            let shown = try service.get("/v1/jobs/\(job)").json["webhook"] as? [String: Any] ?? [:]
            if shown["state"] as? String == state { return shown }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try service.get("/v1/jobs/\(job)").json["webhook"] as? [String: Any] ?? [:]
    }

    @Test func aFinishedJobIsToldSignedAndWithoutMore() async throws {
        try await withSecret { secret in
            let receiver = Receiver()
            let server = try listen(receiver)
            let host = "http://127.0.0.1:\(server.port)"
            let service = try service(host, secret, more: ["BURND_BASE_PATH": "/burn"])
            let job = try submit(service, webhook: host + "/in?token=s3cret", base: "/burn")
            #expect((try job.json["webhook"] as? [String: Any])?["state"] as? String == "waiting")
            let request = try #require(try await receiver.requests(1).first)
            #expect(request.path == "/in")
            #expect(request.headers[.contentType] == "application/json")

            let id = try #require(request.headers[.init(literal: "webhook-id")])
            let time = try #require(request.headers[.init(literal: "webhook-timestamp")])
            let signed = Data("\(id).\(time).".utf8) + request.body
            let code = MessageAuthentication.code(of: signed, key: [UInt8](Self.secret))
            #expect(
                request.headers[.init(literal: "webhook-signature")]
                    == "v1,\(Data(code).base64EncodedString())")
            #expect(abs((Double(time) ?? 0) - Date().timeIntervalSince1970) < 60)

            let path = "/burn/v1/jobs/\(try job.id)"
            let told = try #require(try JSONSerialization.jsonObject(with: request.body) as? [String: Any])
            #expect(Set(told.keys) == ["type", "timestamp", "data"])
            let data = try #require(told["data"] as? [String: Any])
            #expect(Set(data.keys) == ["id", "state", "verdict", "links"])
            #expect(data["id"] as? String == (try job.id) && data["state"] as? String == "succeeded")
            #expect(data["verdict"] as? String == "backdoored")
            #expect(data["links"] as? [String: String] == ["self": path, "report": path + "/report"])

            let shown = try await webhook(of: try job.id, service, until: "delivered")
            #expect(shown["id"] as? String == id && shown["tries"] as? Int == 1)
            #expect(shown["host"] as? String == host && shown["status"] as? Int == 204)
            #expect(shown["delivered_at"] is String)
            // The address's path and query are nobody else's.
            let whole = try service.get("/v1/jobs/\(try job.id)").text + service.log
            #expect(!whole.contains("s3cret"))
            await server.shutdown(deadline: .seconds(1))
        }
    }

    @Test func whatIsNotTakenIsTriedAgainAndARedirectIsNotFollowed() async throws {
        try await withSecret { secret in
            let receiver = Receiver()
            let server = try listen(receiver)
            let host = "http://127.0.0.1:\(server.port)"
            receiver.answer([
                HTTPResponse(status: .found, headers: [.location: host + "/elsewhere"]),
                HTTPResponse(status: .serviceUnavailable),
            ])
            let service = try service(host, secret)
            let job = try submit(service, webhook: host + "/in").id
            let seen = try await receiver.requests(3)
            #expect(seen.map(\.path) == ["/in", "/in", "/in"])
            #expect(Set(seen.map { $0.headers[.init(literal: "webhook-id")] }).count == 1)
            let shown = try await webhook(of: job, service, until: "delivered")
            #expect(shown["tries"] as? Int == 3, "\(shown)")
            await server.shutdown(deadline: .seconds(1))
        }
    }

    @Test func triesAreBounded() async throws {
        try await withSecret { secret in
            let receiver = Receiver()
            let server = try listen(receiver)
            let host = "http://127.0.0.1:\(server.port)"
            receiver.answer([HTTPResponse](repeating: .init(status: .internalServerError), count: 5))
            let service = try service(host, secret, more: ["BURND_WEBHOOKS_TRIES": "2"])
            let job = try submit(service, webhook: host).id
            let shown = try await webhook(of: job, service, until: "abandoned")
            #expect(shown["tries"] as? Int == 2 && shown["status"] as? Int == 500, "\(shown)")
            #expect(receiver.seen.count == 2)
            await server.shutdown(deadline: .seconds(1))
        }
    }

    /// Also not of a receiver that takes connections and says nothing: the service answers meanwhile.
    @Test func aDeadReceiverHoldsNothingUpAndARestartLosesNothing() async throws {
        try await withSecret { secret in
            let silent = try listeningSocket()
            defer { close(silent.descriptor) }
            let host = "http://127.0.0.1:\(silent.port)"
            let service = try service(host, secret)
            let job = try submit(service, webhook: host).id
            _ = try service.finished(job)
            try await Task.sleep(for: .milliseconds(1_500))
            let begun = ContinuousClock.now
            for _ in 0..<20 { #expect(try service.get("/healthz").status == 200) }
            #expect(ContinuousClock.now - begun < .seconds(3))
            #expect((try await webhook(of: job, service, until: "pending"))["tries"] as? Int == 0)
            #expect(service.stop(SIGKILL) != 0)
            // The same port, with a receiver behind it now.
            close(dup2(open("/dev/null", O_RDONLY), silent.descriptor))
            let receiver = Receiver()
            let server = try listen(receiver, port: silent.port)
            try service.start()
            #expect(try await receiver.requests(1).count == 1)
            let shown = try await webhook(of: job, service, until: "delivered")
            #expect(shown["state"] as? String == "delivered", "\(shown)")
            #expect(service.stop(SIGTERM) == 0)
            await server.shutdown(deadline: .seconds(1))
        }
    }

    private func listeningSocket() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && Glibc.listen(descriptor, 8) == 0
                    ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard status == 0 else { throw ServiceProcess.Failure(description: "listen: \(errno)") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    @Test func tlsIsCheckedAgainstTheTrustedCertificates() async throws {
        try await withSecret { secret in
            let folder = URL(filePath: secret).deletingLastPathComponent().path
            let (key, certificate) = (folder + "/key.pem", folder + "/certificate.pem")
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", key, "-out", certificate,
            ]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            let receiver = Receiver()
            let server = try listen(
                receiver, certificate: TLSCertificate(certificateFile: certificate, keyFile: key))
            let host = "127.0.0.1:\(server.port)"
            let strict = try service(host, secret, more: ["BURND_WEBHOOKS_TRIES": "1"])
            let refused = try submit(strict, webhook: "https://\(host)/").id
            let shown = try await webhook(of: refused, strict, until: "abandoned")
            #expect((shown["failure"] as? String)?.contains("certificate") == true, "\(shown)")
            #expect(receiver.seen.isEmpty)

            let trusting = try service(host, secret, more: ["BURND_WEBHOOKS_CERTIFICATES": certificate])
            let taken = try submit(trusting, webhook: "https://\(host)/").id
            #expect(try await webhook(of: taken, trusting, until: "delivered")["tries"] as? Int == 1)
            #expect(receiver.seen.count == 1)
            await server.shutdown(deadline: .seconds(1))
        }
    }

    @Test func onlyConfiguredHostsAreToldAndNobodyWithoutASecret() async throws {
        try await withSecret { secret in
            let plain = try ServiceProcess(script: Self.script)
            let unconfigured = try submit(plain, webhook: "https://hooks.example.org/")
            #expect(unconfigured.status == 422, "\(unconfigured.text)")
            #expect(try unconfigured.json["code"] as? String == "webhooks-not-configured")
            #expect(try unconfigured.json["location"] as? String == "/webhook")

            let strict = try service("hooks.example.org", secret)
            for (address, status, code) in [
                ("https://evil.example/", 422, "webhook-host-not-allowed"),
                ("http://hooks.example.org/", 422, "webhook-host-not-allowed"),
                ("hooks.example.org", 400, "webhook-invalid"),
                ("https://hooks.example.org/#a", 400, "webhook-invalid"),
            ] {
                let answer = try submit(strict, webhook: address)
                #expect(answer.status == status, "\(answer.text)")
                #expect(try answer.json["code"] as? String == code)
            }
            let failure = #expect(throws: ServiceProcess.Failure.self) {
                try ServiceProcess(
                    script: Self.script, settings: ["BURND_WEBHOOKS_HOSTS": "hooks.example.org"])
            }
            #expect(failure?.description.contains("webhooks.secret_file") == true)
        }
    }
}
