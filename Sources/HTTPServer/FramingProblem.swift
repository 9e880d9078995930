import CHTTPServer
import Support

/// What the framing gate's refusals say. Each closes its connection: what follows cannot be trusted.
func framingResponse(_ framing: burn_http_framing, path: String) -> HTTPResponse? {
    func refusal(_ status: HTTPResponse.Status, _ code: String, _ detail: String, fix: String? = nil)
        -> HTTPResponse
    {
        let title =
            status == .lengthRequired ? "The body's length is missing" : "The request breaks HTTP's framing"
        return .problem(
            Problem(
                status == .lengthRequired ? .lengthRequired : .malformed, code: code, title: title,
                detail: detail,
                fix: fix
                    ?? "Send it by an ordinary HTTP client, such as curl; where one did, a proxy on the way changed it."
            ),
            instance: path, status: status)
    }
    switch framing {
    case BURN_HTTP_FRAMING_OK: return nil
    case BURN_HTTP_LENGTH_AND_ENCODING:
        return refusal(
            .badRequest, "length-and-encoding", "both Content-Length and Transfer-Encoding were sent")
    case BURN_HTTP_BAD_LENGTH:
        return refusal(
            .badRequest, "content-length-malformed", "Content-Length must be one decimal number, sent once")
    case BURN_HTTP_CHUNKED:
        return refusal(
            .lengthRequired, "length-required",
            "chunked bodies are not taken: space is reserved before the first byte",
            fix: "send Content-Length, for example curl --data-binary @FILE or curl -T FILE")
    case BURN_HTTP_UNKNOWN_ENCODING:
        return refusal(
            .badRequest, "transfer-encoding-unknown", "no transfer coding is supported in requests")
    case BURN_HTTP_BAD_FIELD:
        return refusal(
            .badRequest, "header-malformed",
            "a header's name is not a token, or its value holds a control character")
    case BURN_HTTP_BYTES_BEFORE:
        return refusal(
            .badRequest, "bytes-before-request",
            "a request begins with its request line; an empty line or other bytes stand before it")
    case BURN_HTTP_UNKNOWN_VERSION:
        return refusal(.httpVersionNotSupported, "http-version-unknown", "requests are HTTP/1.1 or HTTP/1.0")
    case BURN_HTTP_BAD_HOST:
        return refusal(.badRequest, "host-malformed", "exactly one Host header is required")
    case BURN_HTTP_LONG_TARGET:
        return refusal(.uriTooLong, "target-too-long", "the address is longer than any of this service's")
    case BURN_HTTP_LARGE_HEADER:
        return refusal(
            .requestHeaderFieldsTooLarge, "header-too-large",
            "the header section is larger than this service takes")
    case BURN_HTTP_BAD_EXPECT:
        return refusal(
            .expectationFailed, "expectation-unknown", "the only expectation supported is 100-continue")
    default:
        return refusal(
            .badRequest, "request-line-malformed",
            "lines end in CR LF, hold no zero bytes, are not folded, and parts are separated by one space")
    }
}
