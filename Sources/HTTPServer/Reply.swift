import CHTTPServer
import Foundation
import Support

/// A response made ready for one request: ranges decided, file opened, headers complete.
struct Reply {
    enum Payload {
        case bytes(Data)
        case file(OpenFile, offset: UInt64, length: UInt64)
        case stream(@Sendable (StreamPipe) async throws -> Void)
    }

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var payload: Payload

    init(
        _ response: HTTPResponse, for head: HTTPRequestHead?, requestID: String, ping: Duration, secure: Bool
    ) {
        status = response.status
        headers = response.headers
        switch response.body {
        case .empty: payload = .bytes(Data())
        case .data(let data): payload = .bytes(data)
        case .stream(let produce):
            payload = .stream { try await produce($0) }
        case .events(let produce):
            headers[.contentType] = "text/event-stream; charset=utf-8"
            // Proxies such as nginx would hold events back otherwise.
            headers[.xAccelBuffering] = "no"
            payload = .stream { pipe in try await Self.withPings(each: ping, on: pipe, produce) }
        case .file(let file):
            payload = .bytes(Data())
            open(file, for: head)
        }
        addDefaults(requestID: requestID, secure: secure)
    }

    private mutating func open(_ file: FileBody, for head: HTTPRequestHead?) {
        let opened: OpenFile
        do {
            opened = try OpenFile(path: file.path)
        } catch {
            let refusal = (error as? Problem).map { HTTPResponse.problem($0, instance: head?.path) }
            status = refusal?.status ?? .internalServerError
            headers = refusal?.headers ?? [:]
            if case .data(let data)? = refusal?.body { payload = .bytes(data) }
            return
        }
        headers[.acceptRanges] = "bytes"
        headers[.contentType] = file.contentType
        if let etag = file.etag { headers[.eTag] = "\"\(etag)\"" }
        if let name = file.downloadName { headers[.contentDisposition] = Self.disposition(name) }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "private, no-cache" }
        var decision = FileReply.full
        if let head, status == .ok, head.method == .get || head.method == .head {
            decision = FileReply.decide(head, size: opened.size, etag: file.etag)
        }
        switch decision {
        case .full:
            payload = .file(opened, offset: 0, length: opened.size)
        case .part(let offset, let length):
            status = .partialContent
            headers[.contentRange] = "bytes \(offset)-\(offset + length - 1)/\(opened.size)"
            payload = .file(opened, offset: offset, length: length)
        case .notModified:
            status = .notModified
            // The length is the one that a 200 would have; no body is sent.
            payload = .file(opened, offset: 0, length: opened.size)
        case .preconditionFailed:
            close(opened.descriptor)
            refuse(
                .preconditionFailed, head,
                Problem(
                    .conflict, code: "precondition-failed", title: "The file is not the one expected",
                    detail: "its ETag is not among those of If-Match",
                    fix: "Ask for the resource without If-Match; its ETag is what it has now."))
        case .unsatisfiable:
            close(opened.descriptor)
            refuse(
                .rangeNotSatisfiable, head,
                Problem(
                    .malformed, code: "range-not-satisfiable", title: "The range lies outside of the file",
                    detail: "the file has \(opened.size) bytes", location: "Range",
                    fix: "Ask for a range that begins within the file, such as bytes=0-."))
            headers[.contentRange] = "bytes */\(opened.size)"
        }
    }

    private mutating func refuse(_ status: HTTPResponse.Status, _ head: HTTPRequestHead?, _ problem: Problem)
    {
        let refusal = HTTPResponse.problem(problem, instance: head?.path, status: status)
        self.status = status
        for name in [HTTPField.Name.contentDisposition, .contentType] {
            headers[name] = refusal.headers[name]
        }
        if case .data(let data) = refusal.body { payload = .bytes(data) }
    }

    private mutating func addDefaults(requestID: String, secure: Bool) {
        headers[.xRequestID] = requestID
        // Once reached over TLS, browsers do not come back without it.
        if secure { headers[.strictTransportSecurity] = "max-age=31536000" }
        let defaults: HTTPFields = [
            .xContentTypeOptions: "nosniff",
            .xFrameOptions: "DENY",
            .referrerPolicy: "no-referrer",
            .crossOriginResourcePolicy: "same-origin",
            .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
            .cacheControl: "no-store",
        ]
        for field in defaults where !headers.contains(field.name) { headers.append(field) }
    }

    /// `attachment` with an ASCII name and, when needed, the UTF-8 one (RFC 6266, RFC 8187).
    private static func disposition(_ name: String) -> String {
        let plain = String(
            name.unicodeScalars.map { scalar in
                scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F
                    && !"\"\\/".unicodeScalars.contains(scalar)
                    ? Character(scalar) : "_"
            })
        let unreserved = CharacterSet(
            charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        let encoded = name.addingPercentEncoding(withAllowedCharacters: unreserved)
        guard plain != name, let encoded else { return "attachment; filename=\"\(plain)\"" }
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }

    /// Runs an event producer beside a task that keeps the connection from falling silent.
    private static func withPings(
        each interval: Duration, on pipe: StreamPipe,
        _ produce: @escaping @Sendable (ServerSentEventWriter) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    let due = pipe.lastWrite + interval
                    if due > .now {
                        try await Task.sleep(until: due, clock: .continuous)
                    } else {
                        try await pipe.write(Data(": ping\n\n".utf8))
                    }
                }
            }
            group.addTask { try await produce(ServerSentEventWriter(writer: pipe)) }
            // The first to end is the producer, or a ping that found the client gone.
            try await group.next()
            group.cancelAll()
        }
    }

    var isStream: Bool {
        if case .stream = payload { true } else { false }
    }

    /// Gives the reply to the shim. It closes the file's descriptor in any case.
    func send(to request: OpaquePointer, close: Bool) -> Bool {
        var text: [CChar] = []
        var offsets: [(Int, Int)] = []
        // libmicrohttpd refuses to send a field without a value, and the whole reply with it.
        for field in headers where !field.value.isEmpty {
            let name = text.count
            text.append(contentsOf: field.name.rawName.utf8CString)
            let value = text.count
            text.append(contentsOf: Self.oneLine(field.value).utf8CString)
            offsets.append((name, value))
        }
        return text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return false }
            let fields = offsets.map { burn_http_field(name: base + $0.0, value: base + $0.1) }
            return fields.withUnsafeBufferPointer { fields in
                var body = burn_http_reply_body()
                body.status = UInt32(clamping: status.code)
                body.fields = fields.baseAddress
                body.field_count = fields.count
                body.close = close
                return send(&body, to: request)
            }
        }
    }

    private func send(_ body: inout burn_http_reply_body, to request: OpaquePointer) -> Bool {
        switch payload {
        case .bytes(let data):
            return data.withUnsafeBytes { bytes in
                body.kind = BURN_HTTP_BYTES
                body.bytes = bytes.baseAddress
                body.length = UInt64(bytes.count)
                return burn_http_reply(request, &body)
            }
        case .file(let file, let offset, let length):
            body.kind = BURN_HTTP_FILE
            body.descriptor = file.descriptor
            body.offset = offset
            body.length = length
        case .stream:
            body.kind = BURN_HTTP_STREAM
        }
        return burn_http_reply(request, &body)
    }

    /// Closes what `send` would have closed.
    func discard() {
        if case .file(let file, _, _) = payload { close(file.descriptor) }
    }

    /// The reply as raw HTTP, for a body that is refused while it is still coming.
    func raw() -> [UInt8] {
        guard case .bytes(let data) = payload else { return [] }
        var text = "HTTP/1.1 \(status.code) \r\n"
        for field in headers { text += "\(field.name): \(Self.oneLine(field.value))\r\n" }
        text += "Content-Length: \(data.count)\r\nConnection: close\r\n\r\n"
        return Array(text.utf8) + data
    }

    /// Control characters in a value would split the response.
    private static func oneLine(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return value }
        return String(value.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}
