import Foundation
import HTTPServer
import Logging
import Support

/// Writes to a file, as the service's uploads do. Unchecked: the server calls it serially, and the digest is asked for
/// when it is done.
final class FileSink: BodySink, @unchecked Sendable {
    let path = NSTemporaryDirectory() + "burn-http-" + HTTPRequestHead.makeID()
    private let descriptor: Int32
    private let failAfter: Int
    private var hash = Digest(.sha256)
    private let received = Mutex(0)
    let aborted = Mutex(false)
    let finished = Mutex(false)

    init(failAfter: Int = .max) {
        self.failAfter = failAfter
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let count = received.withLock { received in
            received += bytes.count
            return received
        }
        guard count <= failAfter else {
            throw Problem(
                .insufficientStorage, code: "disk-full", title: "No room", detail: "the disk is full")
        }
        hash.update(bytes)
        guard Foundation.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count else {
            throw CancellationError()
        }
    }

    /// Bytes so far.
    var count: Int { received.withLock { $0 } }
    func finish() throws { finished.withLock { $0 = true } }
    func abort() { aborted.withLock { $0 = true } }

    var digest: String {
        hash.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

extension HTTPField.Name {
    static let client = Self(literal: "Client")
    static let xEcho = Self(literal: "X-Echo")
}

/// What a test's server saw.
final class Recorder: HTTPObserver, Sendable {
    let records = Mutex<[HTTPRequestRecord]>([])
    let sinks = Mutex<[FileSink]>([])
    let cancelled = Mutex(0)

    func requestBegan() {}
    func requestEnded(_ record: HTTPRequestRecord) { records.withLock { $0.append(record) } }
}

/// Polls until a condition holds; false after 20 s.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<2000 {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

let sampleFile: (path: String, bytes: Data) = {
    let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
    let path = NSTemporaryDirectory() + "burn-http-sample-" + HTTPRequestHead.makeID()
    let made = FileManager.default.createFile(atPath: path, contents: bytes)
    precondition(made, "the temporary folder is writable")
    return (path, bytes)
}()

private struct RefusingStage: RequestStage {
    let name = "test"

    func admit(_ head: inout HTTPRequestHead, to route: RouteDescription) async throws {
        guard head.headers[.authorization] != "bad" else {
            throw Problem(.unauthenticated, code: "key", title: "No key", detail: "the key is not known")
        }
        if let client = head.headers[.client] { head.client = client }
    }
}

private func routes(_ recorder: Recorder) -> Router {
    var router = Router()
    router.stages = [RefusingStage()]
    router.urgent = ["/healthz"]
    router.on(.get, "/healthz") { _ in .json(Data(#"{"status":"ok"}"#.utf8)) }
    router.on(.get, "/v1/items/{id}") { request in
        .text("\(request.head.parameters["id"] ?? "") \(request.head.queryValue("q") ?? "-")")
    }
    router.on(.get, "/files/{path...}") { .text($0.head.parameters["path"] ?? "") }
    router.on(.post, "/v1/items", body: .collect(limit: 1000)) {
        .data($0.data, type: "text/plain", status: 201)
    }
    router.on(
        .post, "/v1/uploads",
        plan: { head in
            let sink = FileSink(failAfter: head.queryValue("fail").flatMap(Int.init) ?? .max)
            recorder.sinks.withLock { $0.append(sink) }
            return .stream(to: sink, limit: 64 << 20)
        }
    ) { request in
        guard case .sink(let sink) = request.body, let sink = sink as? FileSink else {
            return .text("?", status: 500)
        }
        // A long look at what came.
        if request.head.queryValue("look") != nil {
            do { try await Task.sleep(for: .seconds(3600)) } catch {
                recorder.cancelled.withLock { $0 += 1 }
                throw error
            }
        }
        return .text(sink.digest, status: 201)
    }
    router.on(.get, "/file") { _ in
        HTTPResponse(
            status: 200,
            body: .file(FileBody(path: sampleFile.path, etag: "abc", downloadName: "mod\"el.pt2")))
    }
    router.on(.get, "/rows") { _ in
        HTTPResponse(
            status: 200, headers: [.contentType: "text/csv"],
            body: .stream { writer in
                for row in 0..<20_000 { try await writer.write(Data("row,\(row)\n".utf8)) }
            })
    }
    router.on(.get, "/events") { request in
        let last = request.head.headers[.lastEventID].flatMap(Int.init) ?? 0
        return HTTPResponse(
            status: 200,
            body: .events { writer in
                do {
                    try await writer.send(
                        ServerSentEvent(id: "\(last + 1)", event: "phase", data: "one\ntwo"))
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    recorder.cancelled.withLock { $0 += 1 }
                    throw error
                }
            })
    }
    router.on(.get, "/broken") { _ in throw CancellationError() }
    router.on(.get, "/slow") { _ in
        try? await Task.sleep(for: .milliseconds(300))
        return .text("slow")
    }
    router.on(.get, "/echo") { request in
        HTTPResponse(status: 200, headers: [.xEcho: request.head.headers[.xEcho] ?? "none"])
    }
    router.on(.get, "/busy") { _ in
        // Holds a thread of the pool, as much computing does.
        usleep(200_000)
        return .text("busy")
    }
    router.on(.get, "/never") { _ in
        try? await Task.sleep(for: .seconds(3600))
        return .text("never")
    }
    return router
}

/// Runs tests on threads of their own: their clients block, and the server's tasks need the shared pool.
final class BlockingExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

private let blocking = BlockingExecutor()

/// Runs a server for one test and stops it afterwards.
func withServer(
    _ change: (inout HTTPServerConfiguration) -> Void = { _ in },
    _ body: (HTTPServer, Recorder) async throws -> Void
) async throws {
    var configuration = HTTPServerConfiguration()
    change(&configuration)
    let recorder = Recorder()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = try HTTPServer.start(
        configuration: configuration, handler: routes(recorder), observer: recorder, logger: logger)
    do {
        try await withTaskExecutorPreference(blocking) { try await body(server, recorder) }
    } catch {
        await server.shutdown(deadline: .zero)
        throw error
    }
    await server.shutdown(deadline: .zero)
}
