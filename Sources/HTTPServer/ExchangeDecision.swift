import CHTTPServer
import Foundation
import Support

/// From the complete header section to the go for the body, or to an answer instead.
extension Exchange {
    private static let discardLimit: UInt64 = 64 << 10

    func decide() async {
        let parsed: HTTPRequestHead
        switch incoming.parsed() {
        case .success(let head): parsed = head
        case .failure(let refusal):
            state.withLock { $0.plan = .refused(by: "framing", with: refusal.response) }
            return answer(refusal.response, close: true)
        }
        let plan = await service.handler.begin(parsed)
        let head = plan.head ?? parsed
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

    private func makeUpload(_ sink: any BodySink) -> BodyBuffer {
        BodyBuffer(
            sink: sink, queue: service.uploads, suspend: { [self] in burn_http_suspend(request) },
            resume: { [self] in burn_http_resume(request) })
    }

    private func proceed(_ length: UInt64, _ body: Body) async {
        let goes = state.withLock { state in
            state.body = body
            guard length > 0, state.owesAnswer else { return false }
            state.owesAnswer = false
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
                location: "Content-Length",
                fix: "Send less; the limit is one of limits.…_bytes in the service's configuration."
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
}
