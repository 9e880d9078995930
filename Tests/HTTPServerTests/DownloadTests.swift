import Foundation
import HTTPServer
import RawHTTP
import Testing

@Suite struct DownloadTests {
    @Test(arguments: [
        ("bytes=0-0", 0..<1), ("bytes=5-9", 5..<10), ("bytes=299990-", 299_990..<300_000),
        ("bytes=-10", 299_990..<300_000), ("bytes=10-999999999", 10..<300_000),
        ("bytes=-999999", 0..<300_000),
        ("BYTES=1-2", 1..<3), ("bytes=10-99999999999999999999999", 10..<300_000),
    ])
    func servesOneRange(range: String, expected: Range<Int>) async throws {
        try await withServer { server, _ in
            let reply = try RawClient(port: server.port).get("/file", "Range: \(range)")
            #expect(reply.status == 206)
            #expect(
                reply.headers["content-range"]
                    == "bytes \(expected.lowerBound)-\(expected.upperBound - 1)/300000")
            #expect(reply.body == sampleFile.bytes[expected])
        }
    }

    @Test(arguments: [
        "bytes=0-1,5-6", "bytes=9-5", "items=0-1", "bytes=a-b", "bytes=-", "bytes 1-2", "bytes=1",
    ])
    func servesTheWholeFileForOtherRanges(range: String) async throws {
        try await withServer { server, _ in
            let reply = try RawClient(port: server.port).get("/file", "Range: \(range)")
            #expect(reply.status == 200)
            #expect(reply.body == sampleFile.bytes)
        }
    }

    @Test(arguments: ["bytes=300000-", "bytes=-0", "bytes=99999999999999999999-"])
    func answers416(range: String) async throws {
        try await withServer { server, _ in
            let reply = try RawClient(port: server.port).get("/file", "Range: \(range)")
            #expect(reply.status == 416)
            #expect(reply.headers["content-range"] == "bytes */300000")
        }
    }

    @Test func honoursConditions() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            let full = try client.get("/file")
            #expect(full.headers["etag"] == "\"abc\"")
            #expect(full.headers["accept-ranges"] == "bytes")
            #expect(full.headers["content-disposition"]?.contains("filename=\"mod_el.pt2\"") == true)
            #expect(try client.get("/file", "If-None-Match: W/\"abc\", \"x\"").status == 304)
            #expect(try client.get("/file", "If-None-Match: *").status == 304)
            #expect(try client.get("/file", "If-None-Match: \"x\"").status == 200)
            #expect(try client.get("/file", "Range: bytes=0-1", "If-Range: \"abc\"").status == 206)
            #expect(try client.get("/file", "Range: bytes=0-1", "If-Range: \"old\"").status == 200)
            #expect(try client.get("/file", "Range: bytes=0-1", "If-Range: W/\"abc\"").status == 200)
            #expect(try client.get("/file", "If-Match: \"x\"").status == 412)
            let head = try client.get("/file", "Range: bytes=0-1", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == "300000")
        }
    }

    @Test func streamsRowsInChunks() async throws {
        try await withServer { server, _ in
            let client = try RawClient(port: server.port)
            let expected = (0..<20_000).map { "row,\($0)\n" }.joined()
            #expect(try client.get("/rows").text == expected)
            #expect(try client.get("/healthz").status == 200)
            #expect(try client.get("/rows", method: "HEAD").headers["content-type"] == "text/csv")
        }
    }

    private let event = "id: 42\nevent: phase\ndata: one\ndata: two\n\n"
    private let ping = ": ping\n\n"

    @Test func sendsEventsPingsAndCancelsWhenTheClientLeaves() async throws {
        try await withServer({ $0.eventPing = .milliseconds(50) }) { server, recorder in
            var client: RawClient? = try RawClient(port: server.port)
            client?.send("GET /events HTTP/1.1\r\nHost: t\r\nLast-Event-ID: 41\r\n\r\n")
            #expect(try client?.head().headers["content-type"] == "text/event-stream; charset=utf-8")
            // On a busy machine a ping may come first; both must come, and nothing else.
            var text = ""
            while !text.contains(event) || !text.contains(ping) {
                text += String(decoding: try client?.chunk() ?? Data(), as: UTF8.self)
            }
            #expect(text.replacing(event, with: "").replacing(ping, with: "").isEmpty)
            client = nil
            #expect(try await eventually { recorder.cancelled.withLock { $0 } == 1 })
        }
    }

    @Test func noticesThatTheClientOfASilentStreamLeft() async throws {
        try await withServer { server, recorder in
            var client: RawClient? = try RawClient(port: server.port)
            client?.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = try client?.head()
            _ = try client?.chunk()
            client = nil
            #expect(try await eventually { recorder.cancelled.withLock { $0 } == 1 })
            #expect(try await eventually { server.connections == 0 })
        }
    }

    @Test func encodesEventsWithoutForgery() {
        let event = ServerSentEvent(id: "1\ndata: x", event: "a\r\n", data: "b\r\nc\rd", retry: 5)
        #expect(
            String(decoding: event.encoded, as: UTF8.self)
                == "id: 1data: x\nevent: a\nretry: 5\ndata: b\ndata: c\ndata: d\n\n")
    }
}
