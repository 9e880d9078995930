import Foundation
import HTTPServer
import RawHTTP
import Support
import Testing

@Suite struct UploadTests {
    private static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count / 8).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
    }

    @Test func streamsABodyUnchanged() async throws {
        let body = Self.random(9_000_008)
        let digest = Digest.sha256(body).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
        try await withServer { server, recorder in
            let client = try RawClient(port: server.port)
            for _ in 0..<2 {
                client.send("POST /v1/uploads HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.count)\r\n\r\n")
                let sent = client.send(body)
                #expect(sent)
                let reply = try client.reply()
                #expect(reply.status == 201)
                #expect(reply.text == digest)
            }
            let paths = recorder.sinks.withLock { sinks in
                #expect(
                    sinks.allSatisfy { sink in sink.finished.withLock { $0 } && !sink.aborted.withLock { $0 }
                    })
                defer { sinks = [] }
                return sinks.map(\.path)
            }
            // Nothing holds on to a finished upload: the sinks are gone, and their files with them.
            #expect(paths.count == 2)
            #expect(
                try await eventually { paths.allSatisfy { !FileManager.default.fileExists(atPath: $0) } })
        }
    }

    @Test func saysContinueOnlyWhenTheBodyIsWanted() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            let fields = "Host: t\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
            client.send("POST /v1/items HTTP/1.1\r\n\(fields)\r\n")
            #expect(try client.head().status == 100)
            client.send("abcd")
            #expect(try client.reply().text == "abcd")
            client.send("POST /v1/items HTTP/1.1\r\n\(fields)Authorization: bad\r\n\r\n")
            let refused = try client.reply()
            #expect(refused.status == 401)
            #expect(refused.headers["www-authenticate"] == "Bearer")
        }
    }

    @Test func deliversAnEarlyRefusalWhileTheClientSends() async throws {
        let body = [UInt8](repeating: 7, count: 4 << 20)
        try await withServer { server, _ in
            for (target, field, status) in [
                ("/v1/uploads", "Authorization: bad", 401), ("/nowhere", "A: b", 404),
                ("/v1/items", "A: b", 413),
                ("/v1/uploads?fail=300000", "A: b", 507), ("/healthz", "A: b", 405),
            ] {
                let client = try RawClient(port: server.port)
                client.send(
                    "POST \(target) HTTP/1.1\r\nHost: t\r\n\(field)\r\nContent-Length: \(body.count)\r\n\r\n")
                // Whether all of it is taken is the server's business; the answer must arrive.
                client.send(body)
                let reply = try client.reply()
                #expect(reply.status == status)
                #expect(reply.headers["content-type"] == "application/problem+json")
            }
        }
    }

    @Test func needsALengthAndKeepsTheLimit() async throws {
        try await withServer { server, _ in
            let missing = try RawClient(port: server.port).get("/v1/uploads", method: "POST")
            #expect(missing.status == 411)
            let huge = try RawClient(port: server.port)
            huge.send("POST /v1/uploads HTTP/1.1\r\nHost: t\r\nContent-Length: 999999999999\r\n\r\n")
            #expect(try huge.reply().status == 413)
        }
    }

    @Test func abortsTheSinkWhenTheClientLeaves() async throws {
        try await withServer { server, recorder in
            var client: RawClient? = try RawClient(port: server.port)
            client?.send("POST /v1/uploads HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n")
            client?.send([UInt8](repeating: 1, count: 300_000))
            #expect(try await eventually { recorder.sinks.withLock { $0.first?.count ?? 0 } > 0 })
            client = nil
            #expect(
                try await eventually { recorder.sinks.withLock { $0.first?.aborted.withLock { $0 } } == true }
            )
            #expect(try await eventually { recorder.records.withLock { $0.first?.status } == 499 })
        }
    }

    @Test func endsTheWorkForAClientThatDoesNotWaitForIt() async throws {
        try await withServer { server, recorder in
            var client: RawClient? = try RawClient(port: server.port)
            client?.send("POST /v1/uploads?look=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc")
            #expect(
                try await eventually {
                    recorder.sinks.withLock { $0.first?.finished.withLock { $0 } } == true
                })
            #expect(recorder.cancelled.withLock { $0 } == 0)
            client = nil
            #expect(try await eventually { recorder.cancelled.withLock { $0 } == 1 })
        }
    }

    @Test func cutsUploadsThatDrip() async throws {
        try await withServer({
            $0.headerDeadline = .milliseconds(300)
            $0.minimumUploadRate = 1 << 20
        }) { server, recorder in
            let client = try RawClient(port: server.port)
            client.send("POST /v1/uploads HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\nabc")
            #expect(try client.closed())
            #expect(
                try await eventually { recorder.sinks.withLock { $0.first?.aborted.withLock { $0 } } == true }
            )
        }
    }
}
