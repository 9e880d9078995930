import Foundation
import HTTPServer
import RawHTTP
import Testing

@Suite struct ShutdownTests {
    @Test func letsOpenRequestsFinishAndEndsEventStreams() async throws {
        try await withServer { server, recorder in
            let slow = try RawClient(port: server.port)
            let idle = try RawClient(port: server.port)
            let events = try RawClient(port: server.port)
            #expect(try idle.get("/healthz").status == 200)
            events.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = try events.head()
            _ = try events.chunk()
            slow.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await eventually { server.connections == 3 })
            // The request is suspended in its handler before the server stops.
            try await Task.sleep(for: .milliseconds(50))
            await server.shutdown(deadline: .seconds(10))
            let reply = try slow.reply()
            #expect(reply.text == "slow")
            #expect(reply.headers["connection"] == "close")
            #expect(try events.chunk().isEmpty)
            #expect(try idle.closed())
            #expect(throws: RawClient.Failure.self) { try RawClient(port: server.port) }
        }
    }

    @Test func answersSuspendedRequestsAtTheDeadline() async throws {
        try await withServer { server, _ in
            let clients = try (0..<20).map { _ in try RawClient(port: server.port) }
            for client in clients { client.send("GET /never HTTP/1.1\r\nHost: t\r\n\r\n") }
            let upload = try RawClient(port: server.port)
            upload.send("POST /v1/uploads HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\nabc")
            let healthy = try RawClient(port: server.port)
            #expect(try healthy.get("/healthz").status == 200)
            #expect(try await eventually { server.connections == 22 })
            try await Task.sleep(for: .milliseconds(50))
            await server.shutdown(deadline: .milliseconds(100))
            for client in clients { #expect(try client.reply().status == 503) }
            #expect(try upload.closed())
        }
    }

    @Test func refusesAnAddressInUse() async throws {
        try await withServer { server, _ in
            var configuration = HTTPServerConfiguration()
            configuration.port = server.port
            #expect(throws: (any Error).self) {
                try HTTPServer.start(configuration: configuration, handler: Router())
            }
        }
    }
}
