import Foundation
import HTTPServer
import RawHTTP
import Testing

@Suite struct RequestTests {
    @Test(arguments: ["", " ", "a"])
    func aFieldWithoutAValueIsLeftOutOfTheAnswer(value: String) async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            client.send("GET /echo HTTP/1.1\r\nHost: t\r\nX-Echo: \(value)\r\n\r\n")
            let reply = try client.reply()
            #expect(reply.status == 200)
            #expect(reply.headers["x-echo"] == (value == "a" ? "a" : nil))
        }
    }

    @Test func keepsConnectionsAliveAndAnswersPipelinedRequestsInOrder() async throws {
        try await withServer { server, recorder in
            let client = try RawClient(port: server.port)
            client.send(
                (0..<20).map { "GET /v1/items/i\($0)?q=a%20b+c HTTP/1.1\r\nHost: t\r\n\r\n" }.joined())
            for index in 0..<20 {
                let reply = try client.reply()
                #expect(reply.status == 200)
                #expect(reply.text == "i\(index) a b c")
            }
            let last = try client.get("/healthz")
            #expect(last.headers["x-content-type-options"] == "nosniff")
            #expect(last.headers["cache-control"] == "no-store")
            #expect(last.headers["x-request-id"]?.count == 32)
            #expect(try await eventually { recorder.records.withLock { $0.count == 21 } })
            #expect(recorder.records.withLock { $0[0].route } == "/v1/items/{id}")
        }
    }

    @Test func answersHTTP10AndCloses() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            client.send("GET /healthz HTTP/1.0\r\n\r\n")
            #expect(try client.reply().status == 200)
            #expect(try client.closed())
        }
    }

    @Test func routesByMethodAndPattern() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            #expect(try client.get("/nothing").status == 404)
            #expect(try client.get("http://test/v1/items/7").text == "7 -")
            let wrong = try client.get("/v1/items/7", method: "DELETE")
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "GET, HEAD, OPTIONS")
            #expect(wrong.headers["content-type"] == "application/problem+json")
            #expect(try client.get("/v1/items/7", method: "OPTIONS").status == 204)
            let head = try client.get("/healthz", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == "15")
            #expect(try client.get("/broken").status == 500)
            #expect(try client.get("/healthz", method: "BREW").status == 405)
        }
    }

    @Test(arguments: [
        ("/files/a.js", "a.js"), ("/files/a/b-1/c_d.min.js", "a/b-1/c_d.min.js"), ("/files", nil),
        ("/files/", nil),
        ("/files/a/../b", nil), ("/files/.hidden", nil), ("/files/a/%2e%2e", nil), ("/files/a%2fb", nil),
        ("/files/a%00.js", nil), ("/files/1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/8"),
        ("/files/1/2/3/4/5/6/7/8/9", nil),
        ("/other/a.js", nil),
    ])
    func aPatternMayTakeTheRestOfThePath(target: String, path: String?) async throws {
        try await withServer { server, _ in
            let reply = try RawClient(port: server.port).get(target)
            #expect(reply.status == (path == nil ? 404 : 200))
            if let path { #expect(reply.text == path) }
        }
    }

    @Test(arguments: [
        ("/v1/items/%2e%2e", 404), ("/v1/items/a%2fb", 404), ("/v1/items/a%00", 404), ("/v1/items/..", 404),
        ("/v1/items/%zz", 400), ("/v1/items/%ff", 400), ("/v1/items/%4", 400), ("/v1/items/a?q=%ff", 400),
        ("/v1/items/%61b", 200), ("v1", 400), ("/a#b", 400),
    ])
    func takesNoTricksInPaths(target: String, status: Int) async throws {
        try await withServer { server, _ in
            let reply = try RawClient(port: server.port).get(target)
            #expect(reply.status == status)
        }
    }

    @Test func answersOversizeHeaders() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            #expect(
                try client.get("/healthz", "X-Long: " + String(repeating: "a", count: 200_000)).status == 431)
            let target = try RawClient(port: server.port)
            #expect(try target.get("/" + String(repeating: "a", count: 200_000)).status == 414)
            // A large header section that fits, in small segments.
            let slow = try RawClient(port: server.port)
            slow.send("GET /healthz HTTP/1.1\r\nHost: t\r\n")
            for index in 0..<60 { slow.send("X-\(index): \(String(repeating: "b", count: 200))\r\n") }
            slow.send("\r\n")
            #expect(try slow.reply().status == 200)
        }
    }

    @Test func servesManyConnectionsAtOnce() async throws {
        try await withServer { server, _ in
            let clients = try (0..<200).map { _ in try RawClient(port: server.port) }
            for client in clients { client.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n") }
            for client in clients { #expect(try client.reply().text == "slow") }
            for client in clients { #expect(try client.get("/healthz").status == 200) }
            #expect(server.connections == 200)
        }
    }

    @Test func closesConnectionsPastTheHeaderDeadline() async throws {
        try await withServer({ $0.headerDeadline = .milliseconds(600) }) { server, _ in
            let silent = try RawClient(port: server.port)
            let dripping = try RawClient(port: server.port)
            dripping.send("GET /healthz HTTP/1.1\r\n")
            #expect(try silent.closed())
            dripping.send("X-More: 1\r\n")
            #expect(try dripping.closed())
            #expect(try RawClient(port: server.port).get("/healthz").status == 200)
        }
    }
}
