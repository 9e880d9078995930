import CHTTPServer
import Foundation
import Logging
import Problems
import Synchronization

/// One request and its answer.
///
/// Unchecked: `request` is the shim's pointer. It is alive while this object owes an answer (`debt`), or
/// while the connection is suspended by the upload or the pipe; those are the only times it is used.
final class Exchange: @unchecked Sendable {
    private enum Body {
        case none, discard, collect(Data), upload(Upload)
    }

    private struct State {
        /// The connection is suspended and waits for exactly one of: the go for its body, an answer.
        var debt = true
        var head: HTTPRequestHead?
        var plan: RequestPlan?
        var body = Body.none
        var pipe: StreamPipe?
        var streamsEvents = false
        var task: Task<Void, Never>?
        var ended = false
        var status: Int?
        var received: UInt64 = 0
        var sent: UInt64 = 0
    }

    private static let discardLimit: UInt64 = 64 << 10

    private let service: HTTPService
    private let request: OpaquePointer
    private let incoming: IncomingHead
    private let begun = ContinuousClock.now
    private let state = Mutex(State())

    init(service: HTTPService, request: OpaquePointer, head: burn_http_head) {
        self.service = service
        self.request = request
        incoming = IncomingHead(head)
    }

    func start() {
        run { await $0.decide() }
    }

    /// Runs a step as this exchange's task, which ends with the exchange.
    private func run(_ step: @escaping @Sendable (Exchange) async -> Void) {
        let task = Task { await step(self) }
        let late = state.withLock { state in
            state.task = task
            return state.ended
        }
        if late { task.cancel() }
    }

    private func decide() async {
        let head: HTTPRequestHead
        switch incoming.parsed() {
        case .success(let parsed): head = parsed
        case .failure(let refusal): return answer(refusal.response, close: true)
        }
        let plan = await service.handler.begin(head)
        state.withLock {
            $0.head = head
            $0.plan = plan
        }
        let length = head.contentLength ?? 0
        switch plan.body {
        case .reject(let response):
            answer(response, close: length > 0)
        case .none:
            guard length <= Self.discardLimit else { return refuseLength(length, Self.discardLimit) }
            await proceed(length, .discard)
        case .collect(let limit):
            let limit = UInt64(clamping: limit)
            guard length <= limit else { return refuseLength(length, limit) }
            await proceed(length, .collect(Data(capacity: Int(length))))
        case .stream(let sink, let limit):
            let upload = makeUpload(sink)
            state.withLock { $0.body = .upload(upload) }
            guard head.contentLength != nil else { return refuseMissingLength() }
            guard length <= limit else { return refuseLength(length, limit) }
            await proceed(length, .upload(upload))
        }
    }

    private func makeUpload(_ sink: any BodySink) -> Upload {
        Upload(
            sink: sink, queue: service.uploads, suspend: { [self] in burn_http_suspend(request) },
            resume: { [self] in burn_http_resume(request) })
    }

    private func proceed(_ length: UInt64, _ body: Body) async {
        let goes = state.withLock { state in
            state.body = body
            guard length > 0, state.debt else { return false }
            state.debt = false
            return true
        }
        if goes { return burn_http_read_body(request) }
        if length == 0 { await respond() }
    }

    private func refuseLength(_ length: UInt64, _ limit: UInt64) {
        refuse(
            Problem(
                .tooLarge, code: "body-too-large", title: "The body is too large",
                detail: "\(length) bytes were announced, at most \(limit) are taken here",
                location: "Content-Length"
            ))
    }

    private func refuseMissingLength() {
        refuse(
            Problem(
                .lengthRequired, code: "length-required", title: "The body's length is missing",
                detail: "an upload needs Content-Length: space is reserved before the first byte",
                fix: "for example curl --data-binary @FILE or curl -T FILE"))
    }

    private func refuse(_ problem: Problem) {
        answer(.problem(problem, instance: incoming.path), close: true)
    }

    /// Event thread: body bytes. See the shim's `body`.
    func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        let upload: Upload? = state.withLock { state in
            state.received += UInt64(bytes.count)
            switch state.body {
            case .none, .discard: return nil
            case .collect(var data):
                // Its length was checked against the limit, and libmicrohttpd gives no byte more.
                state.body = .none
                data.append(contentsOf: bytes)
                state.body = .collect(data)
                return nil
            case .upload(let upload): return upload
            }
        }
        guard let upload else { return bytes.count }
        switch upload.take(bytes) {
        case .bytes(let count):
            state.withLock { $0.received -= UInt64(bytes.count - count) }
            return count
        case .failed:
            refuseRest(upload.failure ?? CancellationError())
            return -1
        }
    }

    /// The sink failed in mid-body: the answer goes out raw, and the connection ends.
    private func refuseRest(_ error: any Error) {
        let response = failure(error)
        let reply = Reply(response, for: nil, requestID: incoming.id, ping: .zero)
        state.withLock { $0.status = reply.status }
        reply.raw().withUnsafeBytes { burn_http_refuse(request, $0.baseAddress, $0.count) }
    }

    /// Event thread: the whole body was taken, an answer is owed.
    func bodyCompleted() {
        state.withLock { $0.debt = true }
        run { await $0.respond() }
    }

    private func respond() async {
        let (head, plan, body) = state.withLock { ($0.head, $0.plan, $0.body) }
        guard let head, let plan else { return }
        var request = HTTPRequest(head: head)
        switch (body, plan.body) {
        case (.collect(let data), _):
            request.body = .data(data)
        case (.upload(let upload), .stream(let sink, _)):
            do { try await upload.finish() } catch { return answer(failure(error), close: false) }
            request.body = .sink(sink)
        default: break
        }
        answer(await plan.respond(request), close: false)
    }

    private func failure(_ error: any Error) -> HTTPResponse {
        .failure(error, path: incoming.path, requestID: incoming.id)
    }

    /// Pays the debt with a response, unless `giveUp` did already.
    private func answer(_ response: HTTPResponse, close: Bool) {
        guard state.withLock({ $0.debt }) else { return }
        if let cause = response.cause {
            service.logger.error(
                "request failed", metadata: ["request_id": "\(incoming.id)", "error": "\(cause)"])
        }
        let head = state.withLock(\.head)
        let reply = Reply(
            response, for: head, requestID: incoming.id, ping: service.configuration.eventPing)
        let bodiless = head?.method == .head || reply.status == 304 || reply.status == 204
        var producer: (@Sendable (StreamPipe) async throws -> Void)?
        let mine = state.withLock { state in
            guard state.debt else { return false }
            state.debt = false
            state.status = reply.status
            switch reply.payload {
            case .bytes(let data): state.sent = bodiless ? 0 : UInt64(data.count)
            case .file(_, _, let length): state.sent = bodiless ? 0 : length
            case .stream(let produce, let isEvents):
                guard !bodiless else { break }
                producer = produce
                state.streamsEvents = isEvents
                state.pipe = makePipe()
            }
            return true
        }
        guard mine else { return reply.discard() }
        let pipe = state.withLock(\.pipe)
        // libmicrohttpd ends the answer to HEAD with an empty chunk where the length is unknown.
        if !reply.send(to: request, close: close || service.draining || (bodiless && reply.isStream)) {
            service.logger.error("reply could not be made", metadata: ["request_id": "\(incoming.id)"])
        }
        if let pipe, let producer { stream(producer, into: pipe) }
    }

    private func makePipe() -> StreamPipe {
        StreamPipe(
            suspend: { [self] in burn_http_suspend(request) }, resume: { [self] in burn_http_resume(request) }
        )
    }

    private func stream(
        _ produce: @escaping @Sendable (StreamPipe) async throws -> Void, into pipe: StreamPipe
    ) {
        run { exchange in
            do {
                try await produce(pipe)
                pipe.finish(failed: false)
            } catch {
                // Cutting the connection tells the client that what it has is not all.
                pipe.finish(failed: !(exchange.service.draining && exchange.state.withLock(\.streamsEvents)))
                guard !(error is CancellationError) else { return }
                exchange.service.logger.error(
                    "stream failed", metadata: ["request_id": "\(exchange.incoming.id)", "error": "\(error)"])
            }
        }
        if service.draining { endEvents() }
    }

    /// Event thread: the next bytes of a streamed reply. See the shim's `read`.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let pipe = state.withLock(\.pipe) else { return -2 }
        switch pipe.read(into: buffer) {
        case .bytes(let count):
            state.withLock { $0.sent += UInt64(count) }
            return count
        case .suspended: return 0
        case .finished: return -1
        case .failed: return -2
        }
    }

    /// The client closed its end of a streamed reply.
    func peerLeft() {
        let (pipe, task) = state.withLock { ($0.pipe, $0.task) }
        pipe?.cancel()
        if pipe != nil { task?.cancel() }
    }

    /// The server stops: an event stream ends cleanly.
    func endEvents() {
        let (pipe, task) = state.withLock { $0.streamsEvents ? ($0.pipe, $0.task) : (nil, nil) }
        pipe?.finish(failed: false)
        if pipe != nil { task?.cancel() }
    }

    /// The server's patience is over: 503 when an answer is owed, an end when one is being streamed.
    func giveUp() {
        let task = state.withLock(\.task)
        let problem = Problem(
            .unavailable, code: "stopping", title: "The service is stopping",
            detail: "the request was not answered in time", fix: "try again once the service is back")
        answer(.problem(problem, instance: incoming.path, headers: ["Retry-After": "5"]), close: true)
        state.withLock(\.pipe)?.cancel()
        task?.cancel()
    }

    /// Last call from the shim.
    func ended(completed: Bool) {
        let last = state.withLock { state in
            defer {
                // The upload and the pipe hold this object: let go of them.
                state = State()
                state.debt = false
                state.ended = true
            }
            return state
        }
        service.remove(self)
        last.task?.cancel()
        last.pipe?.cancel()
        if case .upload(let upload) = last.body { upload.abort() }
        let record = HTTPRequestRecord(
            method: HTTPMethod(rawValue: incoming.method)?.rawValue ?? "_OTHER", route: last.plan?.route,
            status: last.status ?? 499, received: last.received, sent: last.sent, duration: .now - begun)
        service.observer?.requestEnded(record)
        service.logger.info(
            "request",
            metadata: [
                "request_id": "\(incoming.id)", "remote": "\(incoming.remoteAddress)",
                "method": "\(record.method)", "path": "\(incoming.path)", "status": "\(record.status)",
                "received": "\(record.received)", "sent": "\(record.sent)", "complete": "\(completed)",
                "ms": "\(record.duration / .milliseconds(1))",
            ])
    }
}

extension ContinuousClock.Instant {
    fileprivate static func - (later: Self, earlier: Self) -> Duration { earlier.duration(to: later) }
}
