import ArtifactStore
import Foundation
import HTTPServer
import JobQueue
import JobStore
import Logging
import Support
import Workers

@testable import API

/// The whole service but for the socket: real stores, a real queue, and workers that follow a script.
final class Harness: Sendable {
    let directory: String
    let store: JobStore
    let queue: JobQueue
    let artifacts: ArtifactStore
    let metrics = ServiceMetrics()
    let readiness = Readiness()
    let router: Router
    let ring: KeyRing
    let desk: KeyAdministration

    /// - Parameter strict: whether data sets must be archives by their first bytes; otherwise they may be scripts.
    init(
        strict: Bool = false, limits: RESTService.Limits = .init(), maximumQueued: Int = 1000,
        freeSpaceFloor: Int = 0, quotas: RESTService.Quotas = .init(),
        supervise: (inout WorkerSupervisor.Configuration) -> Void = { _ in }
    ) async throws {
        directory = NSTemporaryDirectory() + "burn-api-" + UUID().uuidString.lowercased()
        artifacts = try ArtifactStore(directory: directory, freeSpaceFloor: freeSpaceFloor)
        store = try JobStore(path: directory + "/burn.sqlite", metrics: metrics.factory)
        var worker = WorkerSupervisor.Configuration()
        worker.executable =
            URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/ScriptedWorker"
        supervise(&worker)
        var configuration = JobQueue.Configuration()
        configuration.maximumQueuedJobs = maximumQueued
        configuration.metrics = metrics.factory
        queue = JobQueue(
            store: store, artifacts: artifacts, supervisor: try WorkerSupervisor(configuration: worker),
            configuration: configuration,
            logger: Logger(label: "quiet", factory: { _ in SwiftLogNoOpLogHandler() }))
        let anything: RESTService.HeadCheck = { _, _ in }
        ring = KeyRing()
        let audit = AuditLog(store: store)
        desk = KeyAdministration(store: store, ring: ring, audit: audit)
        router = RESTService(
            store: store, queue: queue, artifacts: artifacts, limits: limits,
            checkHead: strict ? RESTService.checkHead : anything,
            metrics: metrics, readiness: readiness,
            access: RESTService.Access(ring: ring, quotas: quotas), audit: audit
        ).router()
        try await queue.start()
    }

    func stop() async {
        await queue.shutdown()
        try? store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    struct Answer {
        var status: Int
        var headers: HTTPFields
        var body: Data

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: [String: Any] {
            get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
        }
        /// `json`'s member at a path of names.
        func value<Value>(_ path: String..., as type: Value.Type = Value.self) throws -> Value? {
            var current: Any? = try json
            for name in path { current = (current as? [String: Any])?[name] }
            return current as? Value
        }
    }

    /// Sends a request through the router, as the server would.
    func send(
        _ method: HTTPMethod, _ target: String, body: Data? = nil, headers: HTTPFields = [:],
        contentLength: UInt64?? = .none
    ) async throws -> Answer {
        let length = contentLength ?? body.map { UInt64($0.count) }
        let head = try HTTPRequestHead(
            method: method, target: target, headers: headers, contentLength: length)
        let plan = await router.begin(head)
        return try await collect(answer(head, plan, body ?? Data()))
    }

    private func answer(_ head: HTTPRequestHead, _ plan: RequestPlan, _ body: Data) async -> HTTPResponse {
        switch plan.body {
        case .reject(let response): return response
        case .none: return await plan.respond(HTTPRequest(head: head))
        case .collect: return await plan.respond(HTTPRequest(head: head, body: .data(body)))
        case .stream(let sink, _):
            do {
                for start in stride(from: 0, to: body.count, by: 100) {
                    try body[start..<min(start + 100, body.count)].withUnsafeBytes { try sink.write($0) }
                }
                try sink.finish()
            } catch {
                sink.abort()
                return .failure(error, head)
            }
            return await plan.respond(HTTPRequest(head: head, body: .sink(sink)))
        }
    }

    private func collect(_ response: HTTPResponse) async throws -> Answer {
        let writer = Collector()
        switch response.body {
        case .empty: break
        case .data(let data): try await writer.write(data)
        case .file(let file): try await writer.write(Data(contentsOf: URL(fileURLWithPath: file.path)))
        case .stream(let produce): try await produce(writer)
        case .events(let produce): try await produce(ServerSentEventWriter(writer: writer))
        }
        return Answer(status: response.status.code, headers: response.headers, body: writer.data)
    }

    private final class Collector: HTTPBodyWriter {
        private let bytes = Mutex(Data())
        var data: Data { bytes.withLock { $0 } }
        func write(_ data: Data) async throws { bytes.withLock { $0 += data } }
    }
}

/// Scripts for workers.
enum Script {
    static let model = "[probe]\nmodel-summary\nfinished\n"
    static let dataset = "[import]\ndataset-summary\nfinished\n"
    static let purification =
        model + """
            [job]
            progress 0.5
            phase boundary_analysis
            samples 250
            preliminary
            preliminary
            verdict
            phase detection
            metrics
            evaluation
            artifact model.pt2 PURIFIED
            phase refinement
            finished
            """
    /// A purification with all that one can look at.
    static let shown =
        model + """
            [render]
            pictures
            finished
            [job]
            phase boundary_analysis
            samples 250
            verdict
            triggers
            phase detection
            curves
            curves
            phase decoupling
            reviews
            assessment
            artifact model.pt2 PURIFIED
            finished
            """
    static let scan = model + "[job]\nphase boundary_analysis\nsamples 5\nverdict\nfinished\n"
    /// The purified model is a copy of the upload.
    static let untouched =
        model + "[job]\nphase boundary_analysis\nsamples 5\nverdict\ncopy-model\nfinished\n"
    static let endless = model + "[job]\nphase boundary_analysis\nwait\n"
    static let failing = model + "[job]\nphase boundary_analysis\nfail unprocessable scripted-failure\n"
}

extension Harness {
    /// Uploads a script and waits until it is imported.
    /// - Returns: its id.
    func upload(_ script: String, to collection: String) async throws -> String {
        let answer = try await send(
            .post, "/v1/\(collection)?name=case.pt2", body: Data(script.utf8), headers: [.prefer: "wait=30"])
        return try answer.value("id") ?? "none: \(answer.status) \(answer.text)"
    }

    func submit(
        _ type: String, model: String, dataset: String, more: String = "", headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await send(
            .post, "/v1/jobs",
            body: Data(#"{"type": "\#(type)", "model": "\#(model)", "dataset": "\#(dataset)"\#(more)}"#.utf8),
            headers: headers)
    }

    /// Runs a job with the given script to its end.
    func finishedJob(_ type: String, script: String) async throws -> String {
        let model = try await upload(script, to: "models")
        let dataset = try await upload(Script.dataset, to: "datasets")
        let id = try await submit(type, model: model, dataset: dataset).value("id", as: String.self) ?? "none"
        _ = try await queue.waitForJob(id, timeout: .seconds(30))
        return id
    }
}

/// Runs the body with a harness and stops it afterwards.
func withHarness(
    strict: Bool = false, limits: RESTService.Limits = .init(), maximumQueued: Int = 1000,
    freeSpaceFloor: Int = 0, quotas: RESTService.Quotas = .init(),
    supervise: (inout WorkerSupervisor.Configuration) -> Void = { _ in },
    _ body: (Harness) async throws -> Void
) async throws {
    let harness = try await Harness(
        strict: strict, limits: limits, maximumQueued: maximumQueued, freeSpaceFloor: freeSpaceFloor,
        quotas: quotas, supervise: supervise)
    do {
        try await body(harness)
    } catch {
        await harness.stop()
        throw error
    }
    await harness.stop()
}
