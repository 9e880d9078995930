import CHTTPServer
import Dispatch
import Support

/// What the framing gate found in one request.
struct GateFinding: Hashable, Sendable, CustomStringConvertible {
    var framing: burn_http_framing.RawValue
    var method = ""
    var target = ""
    /// Names and values, in order.
    var fields: [[String]] = []
    var length: UInt64?

    static func passed(
        _ method: String, _ target: String, _ fields: [[String]], length: UInt64? = nil
    ) -> GateFinding {
        GateFinding(
            framing: BURN_HTTP_FRAMING_OK.rawValue, method: method, target: target, fields: fields,
            length: length)
    }

    /// Of what is refused, no more counts.
    static func refused(_ framing: burn_http_framing) -> GateFinding {
        GateFinding(framing: framing.rawValue)
    }

    init(
        framing: burn_http_framing.RawValue, method: String = "", target: String = "",
        fields: [[String]] = [],
        length: UInt64? = nil
    ) {
        self.framing = framing
        self.method = method
        self.target = target
        self.fields = fields
        self.length = length
    }

    init(_ head: burn_http_head) {
        guard head.framing == BURN_HTTP_FRAMING_OK else {
            self.init(framing: head.framing.rawValue)
            return
        }
        self.init(
            framing: head.framing.rawValue, method: String(cString: head.method),
            target: String(cString: head.target),
            fields: UnsafeBufferPointer(start: head.fields, count: head.field_count).map {
                [String(cString: $0.name), String(cString: $0.value)]
            },
            length: head.has_length ? head.length : nil)
    }

    var description: String {
        guard framing == BURN_HTTP_FRAMING_OK.rawValue else { return "refusal \(framing)" }
        let fields = fields.map { "\($0[0]): \($0[1].prefix(20))" }.joined(separator: ", ")
        return "\(method) \(target) (\(fields))"
    }
}

/// Answers every request of a server with nothing, and keeps what the gate found in it.
final class GateRecorder: Sendable {
    private let findings = Mutex<[GateFinding]>([])
    private let news = DispatchSemaphore(value: 0)

    /// What was found since the last call, as soon as it is so much; less where it does not come in time.
    func wait(for count: Int, _ patience: DispatchTimeInterval) -> [GateFinding] {
        let deadline = DispatchTime.now() + patience
        for _ in 0..<count where news.wait(timeout: deadline) == .timedOut { break }
        return findings.withLock { findings in
            defer { findings = [] }
            return findings
        }
    }

    private func take(_ request: OpaquePointer, _ head: burn_http_head) {
        findings.withLock { $0.append(GateFinding(head)) }
        var reply = burn_http_reply_body()
        reply.status = 204
        // As the service does with what it refuses, and with a body that it does not read.
        reply.close = head.framing != BURN_HTTP_FRAMING_OK || head.has_length
        _ = burn_http_reply(request, &reply)
        news.signal()
    }

    /// They hold the recorder unretained: it must live until the server has stopped.
    var callbacks: burn_http_callbacks {
        burn_http_callbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            begin: { context, request, head in
                guard let context, let request, let head else { return nil }
                Unmanaged<GateRecorder>.fromOpaque(context).takeUnretainedValue().take(request, head.pointee)
                return nil
            },
            body: { _, _, _ in -1 }, complete: { _ in }, read: { _, _, _ in -2 }, gone: { _ in },
            end: { _, _ in })
    }
}
