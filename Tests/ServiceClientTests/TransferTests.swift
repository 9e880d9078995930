import Foundation
import HTTPServer
import Logging
import Support
import Testing

@testable import ServiceClient

/// Downloads and repeated requests against a real server that misbehaves.
@Suite struct TransferTests {
    private static let content = Data("what the service holds".utf8)

    private static func digest(of data: Data) -> String {
        "sha-256=:\(Data(Digest.sha256(data)).base64EncodedString()):"
    }

    /// Runs a server for one test; `count` is how often the path was asked for before.
    private func withService(
        tries: Int = 2, _ answer: @escaping @Sendable (_ head: HTTPRequestHead, _ count: Int) -> HTTPResponse,
        _ body: (ServiceClient, _ folder: String) async throws -> Void
    ) async throws {
        let counts = Mutex<[String: Int]>([:])
        var router = Router()
        router.on(.get, "/{rest...}") { request in
            let count = counts.withLock { counts in
                defer { counts[request.head.path, default: 0] += 1 }
                return counts[request.head.path, default: 0]
            }
            return answer(request.head, count)
        }
        let server = try HTTPServer.start(
            handler: router, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var client = ServiceClient(
            address: try ServiceAddress("http://127.0.0.1:\(server.port)"), key: "secret")
        client.backoff = Backoff(tries: tries, first: .milliseconds(1))
        let folder = NSTemporaryDirectory() + "burn-transfer-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        do { try await body(client, folder) } catch {
            await server.shutdown(deadline: .zero)
            throw error
        }
        await server.shutdown(deadline: .zero)
        try FileManager.default.removeItem(atPath: folder)
    }

    private static let digestField = HTTPField.Name(literal: "Repr-Digest")

    private func code(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch { return (error as? Problem)?.code }
        return nil
    }

    @Test func aDownloadIsWholeAndVerifiedOrNotThere() async throws {
        try await withService { head, count in
            var response = HTTPResponse.data(Self.content, type: "application/octet-stream")
            switch head.segments.last {
            case "bare": break
            // Another service's bytes the first time, as after a cut connection behind a cache.
            case "heals":
                response.headers[Self.digestField] = Self.digest(of: count == 0 ? Data() : Self.content)
            case "wrong": response.headers[Self.digestField] = Self.digest(of: Data("other".utf8))
            case "gone": return HTTPResponse(status: 404)
            default: response.headers[Self.digestField] = Self.digest(of: Self.content)
            }
            return response
        } _: { client, folder in
            let file = folder + "/file"
            let good = try await client.download("/good", to: file)
            #expect(good.isVerified && good.bytes == Self.content.count)
            #expect(try Data(contentsOf: URL(filePath: file)) == Self.content)
            try Data("older".utf8).write(to: URL(filePath: file))
            #expect(await code { _ = try await client.download("/wrong", to: file) } == "download-differs")
            #expect(await code { _ = try await client.download("/bare", to: file) } == "download-unverified")
            #expect(await code { _ = try await client.download("/gone", to: file) } == "service-answer")
            #expect(
                try Data(contentsOf: URL(filePath: file)) == Data("older".utf8),
                "a failure leaves what was there")
            #expect(try await client.download("/heals", to: file).isVerified, "the second time")
            #expect(try await !client.download("/bare", to: file, requiresDigest: false).isVerified)
            #expect(
                await code { _ = try await client.download("/good", to: folder + "/none/file") }
                    == "file-unwritable")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"], "no part is left")
        }
    }

    @Test func onlyWhatMayPassIsTriedAgainAndNotForEver() async throws {
        let asked = Mutex<[String: Int]>([:])
        try await withService(tries: 3) { head, count in
            asked.withLock { $0[head.path] = count + 1 }
            switch head.segments.last {
            case "soon": return count < 2 ? HTTPResponse(status: 503) : .text("ready")
            case "never": return HTTPResponse(status: 503)
            case "busy": return count < 1 ? HTTPResponse(status: 429) : .text("ready")
            case "broken": return HTTPResponse(status: 500)
            default: return HTTPResponse(status: 422)
            }
        } _: { client, _ in
            let answers = try await [client.get("/soon"), client.get("/busy")]
            #expect(answers == [Data("ready".utf8), Data("ready".utf8)])
            for path in ["/never", "/broken", "/unfit"] {
                #expect(await code { _ = try await client.get(path) } == "service-answer")
            }
        }
        let counts = asked.withLock { $0 }
        #expect(counts == ["/soon": 3, "/busy": 2, "/never": 4, "/broken": 1, "/unfit": 1])
    }

    /// A key goes to the service that it is for, and nowhere else.
    @Test func aRedirectIsNotFollowed() async throws {
        let keys = Mutex<[String]>([])
        try await withService { head, _ in
            keys.withLock { $0.append("\(head.path) \(head.headers[.authorization] ?? "")") }
            guard head.path == "/moved" else { return .text("elsewhere") }
            return HTTPResponse(status: 302, headers: [.location: "/elsewhere"])
        } _: { client, _ in
            let problem = await #expect(throws: Problem.self) { try await client.get("/moved") }
            #expect(problem?.code == "service-redirected" && problem?.detail.contains("/elsewhere") == true)
        }
        #expect(keys.withLock { $0 } == ["/moved Bearer secret"])
    }

    @Test func waitsGrowToALimitAndNeverOverflow() {
        let backoff = Backoff()
        let waits = (0..<200).map(backoff.delay)
        #expect(waits.first == .milliseconds(250) && waits[3] == .seconds(2))
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 } && waits.last == .seconds(8))
    }
}
