import Foundation
import HTTPTypes
import Support

extension Problem.Category {
    /// The HTTP status that stands for the category.
    public var status: HTTPResponse.Status {
        switch self {
        case .malformed: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .gone: .gone
        case .conflict, .cancelled: .conflict
        case .lengthRequired: .lengthRequired
        case .tooLarge: .contentTooLarge
        case .unsupportedFormat: .unsupportedMediaType
        case .unprocessable: .unprocessableContent
        case .rateLimited: .tooManyRequests
        case .internal: .internalServerError
        case .unavailable: .serviceUnavailable
        case .insufficientStorage: 507
        }
    }
}

/// A problem document (RFC 9457) with the extension members code, location, fix and request_id.
private struct ProblemDocument: Encodable {
    var type, title: String
    var status: Int
    var detail: String
    var instance: String?
    var code: String
    var location, fix: String?
}

extension HTTPResponse {
    /// A problem as `application/problem+json`.
    /// - Parameters:
    ///   - instance: what the problem happened to, usually the request's path.
    ///   - status: only for statuses that no category has, such as 405.
    public static func problem(
        _ problem: Problem, instance: String? = nil, status: HTTPResponse.Status? = nil,
        headers: HTTPFields = [:]
    ) -> HTTPResponse {
        let status = status ?? problem.category.status
        let document = ProblemDocument(
            type: "urn:burn:problem:\(problem.code)", title: problem.title, status: status.code,
            detail: problem.detail, instance: instance, code: problem.code, location: problem.location,
            fix: problem.fix)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and an integer always encode; the empty document keeps this free of a second error path.
        let data = (try? encoder.encode(document))?.plainJSON ?? Data("{}".utf8)
        var headers = headers
        if status == .unauthorized, headers[.wwwAuthenticate] == nil { headers[.wwwAuthenticate] = "Bearer" }
        return .data(data, type: "application/problem+json", status: status, headers: headers)
    }

    /// The answer to an error that a handler threw: its problem, or a 500 that tells nothing of the inside
    /// (the server logs the error under the request's id).
    public static func failure(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse {
        failure(error, path: head.path, requestID: head.id)
    }

    static func failure(_ error: any Error, path: String, requestID: String) -> HTTPResponse {
        if let refusal = error as? HTTPRefusal {
            return .problem(
                refusal.problem, instance: path, status: refusal.status, headers: refusal.headers)
        }
        if let problem = error as? Problem {
            var response = HTTPResponse.problem(problem, instance: path)
            if problem.category == .internal { response.cause = error }
            return response
        }
        let problem = Problem(
            .internal, code: "internal-error", title: "The service failed",
            detail: "the request met an error of the service's own",
            fix: "try again; when it stays, look for request \(requestID) in the service's log")
        var response = HTTPResponse.problem(problem, instance: path)
        response.cause = error
        return response
    }

    static func notFoundResponse(_ head: HTTPRequestHead) -> HTTPResponse {
        let problem = Problem(
            .notFound, code: "no-such-resource", title: "There is nothing at this address",
            detail: "no route matches \(head.path)", fix: "GET /openapi.json lists the routes")
        return .problem(problem, instance: head.path)
    }
}
