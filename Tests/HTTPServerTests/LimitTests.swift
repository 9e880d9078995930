import Foundation
import HTTPServer
import RawHTTP
import Testing

@Suite struct LimitTests {
    @Test func anAddressGetsOnlySoManyConnections() async throws {
        try await withServer({ $0.maximumConnectionsPerAddress = 3 }) { server, _ in
            let clients = try (0..<3).map { _ in try RawClient(port: server.port) }
            for client in clients { #expect(try client.get("/healthz").status == 200) }
            let fourth = try RawClient(port: server.port)
            fourth.send("GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try fourth.closed())
            #expect(server.rejectedConnections == 1)
            #expect(try clients[0].get("/healthz").status == 200)
        }
    }

    @Test func aProxysConnectionsAreNotCounted() async throws {
        try await withServer({
            $0.maximumConnectionsPerAddress = 1
            $0.unlimitedAddresses = ["10.0.0.1", "127.0.0.1"]
        }) { server, _ in
            let clients = try (0..<4).map { _ in try RawClient(port: server.port) }
            for client in clients { #expect(try client.get("/healthz").status == 200) }
        }
    }

    @Test func connectionsBeyondTheLimitWaitUntilThereIsRoom() async throws {
        try await withServer({ $0.maximumConnections = 2 }) { server, _ in
            var clients = try (0..<2).map { _ in try RawClient(port: server.port) }
            for client in clients { #expect(try client.get("/healthz").status == 200) }
            let third = try RawClient(port: server.port)
            third.send("GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
            clients.removeFirst()
            #expect(try third.reply().status == 200)
        }
    }

    @Test func urgentRequestsDoNotWaitBehindOthers() async throws {
        try await withServer { server, recorder in
            let count = 8 * ProcessInfo.processInfo.activeProcessorCount
            let busy = try (0..<count).map { _ in try RawClient(port: server.port) }
            for client in busy { client.send("GET /busy HTTP/1.1\r\nHost: t\r\n\r\n") }
            let client = try RawClient(port: server.port)
            #expect(try client.get("/healthz").status == 200)
            // Behind the others it would have come after all of them.
            let answered = recorder.records.withLock { $0.count { $0.route == "/busy" } }
            #expect(answered < count / 2)
            for client in busy { #expect(try client.reply().status == 200) }
        }
    }

    @Test func largeHeadersAndLongAddressesAreProblems() async throws {
        try await withServer({ $0.headerBytes = 8 << 10 }) { server, _ in
            let long = String(repeating: "a", count: 3000)
            for (request, status) in [
                ("GET /\(long) HTTP/1.1\r\nHost: t\r\n\r\n", 414),
                ("GET / HTTP/1.1\r\nHost: t\r\nA: \(long)\r\nB: \(long)\r\nC: \(long)\r\n\r\n", 431),
            ] {
                let client = try RawClient(port: server.port)
                client.send(request)
                let reply = try client.reply()
                #expect(reply.status == status)
                #expect(reply.headers["content-type"] == "application/problem+json")
                #expect(reply.headers["connection"] == "close")
                #expect(try client.closed())
            }
            // Beyond what a connection may hold at all, the library answers by itself.
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: t\r\n")
            for _ in 0..<30 { client.send("A: \(long)\r\n") }
            #expect(try client.head().status == 431)
        }
    }

    @Test func eventStreamsAreLimitedInAllAndForEachClient() async throws {
        try await withServer({
            $0.maximumEventStreams = 3
            $0.maximumEventStreamsPerClient = 2
        }) { server, _ in
            func open(_ name: String) throws -> (client: RawClient, status: Int) {
                let client = try RawClient(port: server.port)
                client.send("GET /events HTTP/1.1\r\nHost: t\r\nClient: \(name)\r\n\r\n")
                return (client, try client.head().status)
            }
            var streams = try [open("a"), open("a")]
            let third = try open("a")
            #expect(third.status == 429)
            streams.append(try open("b"))
            #expect(streams.map(\.status) == [200, 200, 200])
            #expect(try open("c").status == 429)
            #expect(server.eventStreams == 3)
            streams.removeAll()
            #expect(try await eventually { server.eventStreams == 0 })
            #expect(try open("a").status == 200)
        }
    }

    @Test func aSoundRequestIDIsTakenOver() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            let sound = "trace-0001.a_B"
            #expect(try client.get("/healthz", "X-Request-Id: \(sound)").headers["x-request-id"] == sound)
            for given in ["short", "with space in it", "a\"b\"c\"d\"e", String(repeating: "x", count: 65)] {
                let id = try client.get("/healthz", "X-Request-Id: \(given)").headers["x-request-id"]
                #expect(id?.count == 32)
            }
        }
    }
}
