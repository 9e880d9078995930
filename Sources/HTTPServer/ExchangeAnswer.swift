import CHTTPServer
import Foundation
import Support

/// The answer: bytes, a file, or a stream that a task feeds.
extension Exchange {
    private typealias Producer = @Sendable (StreamPipe) async throws -> Void

    /// Answers with a response, unless `giveUp` did already.
    func answer(_ response: HTTPResponse, close: Bool) {
        guard state.withLock({ $0.owesAnswer }) else { return }
        if let cause = response.cause {
            service.logger.error(
                "request failed", metadata: ["request_id": "\(incoming.id)", "error": "\(cause)"])
        }
        let head = state.withLock(\.head)
        let (response, place) = admitStream(response, of: head)
        let reply = Reply(
            response, for: head, requestID: incoming.id, ping: service.configuration.eventPing,
            secure: service.configuration.isSecure)
        let bodiless = head?.method == .head || [.notModified, .noContent].contains(reply.status)
        var producer: Producer?
        let mine = state.withLock { state in
            guard state.owesAnswer else { return false }
            state.owesAnswer = false
            state.status = reply.status.code
            switch reply.payload {
            case .bytes(let data): state.sent = bodiless ? 0 : UInt64(data.count)
            case .file(_, _, let length): state.sent = bodiless ? 0 : length
            case .stream(let produce):
                guard !bodiless else { break }
                producer = produce
                state.streamPlace = place
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

    /// An event stream stays open for long: only so many are, in all and for one client.
    private func admitStream(_ response: HTTPResponse, of head: HTTPRequestHead?) -> (
        HTTPResponse, StreamLimit.Place?
    ) {
        guard case .events = response.body, head?.method != .head else { return (response, nil) }
        if let place = service.streams.enter(head?.client ?? incoming.remoteAddress) {
            return (response, place)
        }
        let problem = Problem(
            .rateLimited, code: "too-many-streams", title: "Too many event streams are open",
            detail: service.streams.explanation,
            fix: "close some, or poll: the same address gives the events as JSON")
        return (.problem(problem, instance: incoming.path, headers: [.retryAfter: "10"]), nil)
    }

    private func makePipe() -> StreamPipe {
        StreamPipe(
            suspend: { [self] in burn_http_suspend(request) }, resume: { [self] in burn_http_resume(request) }
        )
    }

    private func stream(_ produce: @escaping Producer, into pipe: StreamPipe) {
        run { exchange in
            do {
                try await produce(pipe)
                pipe.finish(failed: false)
            } catch {
                // Cutting the connection tells the client that what it has is not all.
                let isEvents = exchange.state.withLock { $0.streamPlace != nil }
                pipe.finish(failed: !(exchange.service.draining && isEvents))
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
}
