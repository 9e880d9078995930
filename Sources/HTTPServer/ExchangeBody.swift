import CHTTPServer
import Foundation

/// The body's bytes, on the connection's event thread, and the handler that gets the whole of it.
extension Exchange {
    /// See the shim's `body`.
    func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        let upload: BodyBuffer? = state.withLock { state in
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

    /// The sink failed in mid-body: the answer goes out at once, and the connection ends.
    private func refuseRest(_ error: any Error) {
        let response = failure(error)
        let reply = Reply(
            response, for: nil, requestID: incoming.id, ping: .zero, secure: service.configuration.isSecure)
        state.withLock { $0.status = reply.status.code }
        reply.raw().withUnsafeBytes { burn_http_refuse(request, $0.baseAddress, $0.count) }
    }

    /// The whole body was taken, an answer is owed.
    func bodyCompleted() {
        state.withLock { $0.owesAnswer = true }
        run { await $0.respond() }
    }

    func respond() async {
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
}
