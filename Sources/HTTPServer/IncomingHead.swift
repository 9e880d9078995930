import CHTTPServer
import Support

/// A copy of what the shim tells of a request, not yet judged.
struct IncomingHead: Sendable {
    struct Refusal: Error {
        var response: HTTPResponse
    }

    let id: String
    let method: String
    let target: String
    let headers: HTTPFields
    let contentLength: UInt64?
    let remoteAddress: String
    private let framing: burn_http_framing

    init(_ head: burn_http_head) {
        method = String(cString: head.method)
        target = String(cString: head.target)
        contentLength = head.has_length ? head.length : nil
        remoteAddress = String(cString: head.remote_address)
        // `HTTPFields` has room for so many, and traps beyond.
        let count = min(head.field_count, Int(UInt16.max) - 1)
        framing = count == head.field_count ? head.framing : BURN_HTTP_LARGE_HEADER
        var headers = HTTPFields()
        for field in UnsafeBufferPointer(start: head.fields, count: count) {
            // A name that is no token: the gate refuses the request.
            guard let name = HTTPField.Name(String(cString: field.name)) else { continue }
            headers.append(HTTPField(name: name, value: String(cString: field.value).trimmingBlanks))
        }
        self.headers = headers
        let given = headers[values: .xRequestID]
        id =
            given.count == 1 && HTTPRequestHead.isSoundID(given[0]) ? given[0] : HTTPRequestHead.makeID()
    }

    /// The path for logs and problems: without the query, which may hold what nobody should read.
    var path: String { String(target.prefix { $0 != "?" }.prefix(512)) }

    func parsed() -> Result<HTTPRequestHead, Refusal> {
        if let response = framingResponse(framing, path: path) {
            return .failure(Refusal(response: response))
        }
        guard let method = HTTPMethod(rawValue: method) else {
            let allowed = HTTPMethod.allCases.map(\.rawValue).joined(separator: ", ")
            let problem = Problem(
                .malformed, code: "method-unknown", title: "The method is not supported",
                detail: "\(method.prefix(32)) is not a method of this service", fix: "use one of \(allowed)")
            // 501 would do too (RFC 9110, section 15.6.2), but a 5xx says that the service is at fault.
            return .failure(
                Refusal(
                    response: .problem(
                        problem, instance: path, status: .methodNotAllowed, headers: [.allow: allowed])))
        }
        do {
            return .success(
                try HTTPRequestHead(
                    method: method, target: target, headers: headers, contentLength: contentLength,
                    remoteAddress: remoteAddress, id: id))
        } catch {
            return .failure(Refusal(response: .failure(error, path: path, requestID: id)))
        }
    }
}
