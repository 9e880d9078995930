import CHTTPServer
import Foundation
import Support

/// One request and its answer, from the framing gate to the last byte. This file holds its state, its begin
/// and its end; the extensions hold the decision about the body, the body, the answer, and giving up.
///
/// Unchecked: `request` is the shim's pointer. It is alive while this object owes an answer (`owesAnswer`), or
/// while the connection is suspended by the upload or the pipe; those are the only times it is used.
final class Exchange: @unchecked Sendable {
    enum Body {
        case none, discard, collect(Data), upload(BodyBuffer)
    }

    struct State {
        /// The connection is suspended and waits for exactly one of: the go for its body, an answer.
        var owesAnswer = true
        /// The request as the stages left it.
        var head: HTTPRequestHead?
        var plan: RequestPlan?
        var body = Body.none
        var pipe: StreamPipe?
        /// An event stream's place among those that may be open; given back when the exchange ends.
        var streamPlace: StreamLimit.Place?
        var task: Task<Void, Never>?
        var ended = false
        var status: Int?
        var received: UInt64 = 0
        var sent: UInt64 = 0
    }

    let service: HTTPService
    let request: OpaquePointer
    let incoming: IncomingHead
    let state = Mutex(State())
    private let begun = ContinuousClock.now

    init(service: HTTPService, request: OpaquePointer, head: burn_http_head) {
        self.service = service
        self.request = request
        incoming = IncomingHead(head)
    }

    func start() {
        // On Linux, tasks of each priority have a queue and threads of their own.
        run(priority: service.handler.isUrgent(incoming.path) ? .high : nil) { await $0.decide() }
    }

    /// Runs a step as this exchange's task, which ends with the exchange.
    func run(priority: TaskPriority? = nil, _ step: @escaping @Sendable (Exchange) async -> Void) {
        let task = Task(priority: priority) { await step(self) }
        let late = state.withLock { state in
            state.task = task
            return state.ended
        }
        if late { task.cancel() }
    }

    func failure(_ error: any Error) -> HTTPResponse {
        .failure(error, path: incoming.path, requestID: incoming.id)
    }

    /// Last call from the shim.
    func ended(completed: Bool) {
        let last = state.withLock { state in
            defer {
                // The upload and the pipe hold this object: let go of them.
                state = State()
                state.owesAnswer = false
                state.ended = true
            }
            return state
        }
        service.remove(self)
        last.task?.cancel()
        last.pipe?.cancel()
        if case .upload(let upload) = last.body { upload.abort() }
        report(last, completed: completed)
    }

    private func report(_ last: State, completed: Bool) {
        let record = HTTPRequestRecord(
            method: HTTPMethod(rawValue: incoming.method)?.rawValue ?? "_OTHER", route: last.plan?.route,
            status: last.status ?? 499, received: last.received, sent: last.sent,
            duration: begun.duration(to: .now), refusedBy: last.plan?.refusedBy)
        service.observer?.requestEnded(record)
        service.logger.info(
            "request",
            metadata: [
                "request_id": "\(incoming.id)",
                "remote": "\(last.head?.remoteAddress ?? incoming.remoteAddress)",
                "client": "\(last.head?.client ?? "-")", "method": "\(record.method)",
                "path": "\(incoming.path)", "status": "\(record.status)", "received": "\(record.received)",
                "sent": "\(record.sent)", "complete": "\(completed)",
                "ms": "\(record.duration / .milliseconds(1))",
            ])
    }
}
