import Foundation
import FoundationNetworking
import Support

/// A BURN service over HTTP, for the command line and for programs.
///
/// Nothing larger than a piece of an upload is held in memory. What fails on the way is tried again where that is
/// safe: reading, and pieces of resumable uploads.
public struct ServiceClient: Sendable {
    public let address: ServiceAddress
    let key: String?
    let session: URLSession
    /// Waits between tries.
    var backoff = Backoff()

    /// - Parameter key: an API key; nil for a service without keys.
    public init(address: ServiceAddress, key: String?) {
        self.address = address
        self.key = key
        session = URLSession(
            configuration: Self.configuration(), delegate: RedirectRefusal(), delegateQueue: nil)
    }

    static func configuration() -> URLSessionConfiguration {
        let configuration = URLSessionConfiguration.ephemeral
        // Without a byte in either direction; the service sends events' comments each 15 s and waits 60 s at most.
        configuration.timeoutIntervalForRequest = 90
        configuration.httpShouldSetCookies = false
        return configuration
    }

    /// An answer with its whole (small) body.
    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var body: Data

        subscript(name: String) -> String? { headers[name.lowercased()] }
    }

    func request(
        _ method: String, _ path: String, query: [URLQueryItem] = [], headers: [String: String] = [:]
    ) -> URLRequest {
        var url = address.url.appending(path: path)
        if !query.isEmpty { url.append(queryItems: query) }
        var request = URLRequest(url: url)
        request.httpMethod = method
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
        request.setValue("burnd-client/1", forHTTPHeaderField: "User-Agent")
        if let host = address.host { request.setValue(host, forHTTPHeaderField: "Host") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        return request
    }

    /// One request, whatever the status of its answer.
    /// - Throws: `Problem` `service-unreachable`; `CancellationError`.
    func answer(_ request: URLRequest, body: Data? = nil) async throws -> Answer {
        do {
            let (data, response) =
                if let body {
                    try await session.upload(for: request, from: body)
                } else { try await session.data(for: request) }
            return try Self.answer(data, response)
        } catch let problem as Problem { throw problem } catch {
            try Task.checkCancellation()
            throw unreachable(error)
        }
    }

    static func answer(_ data: Data, _ response: URLResponse) throws -> Answer {
        guard let response = response as? HTTPURLResponse else {
            throw Problem(
                .unavailable, code: "service-unreachable", title: "The service can't be reached",
                detail: "The answer is no HTTP.",
                fix: "Check that the address is that of a BURN service.")
        }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            if let name = name as? String, let value = value as? String { headers[name.lowercased()] = value }
        }
        return Answer(status: response.statusCode, headers: headers, body: data)
    }

    /// One request whose answer must be a success.
    func checked(_ request: URLRequest, body: Data? = nil) async throws -> Answer {
        let answer = try await answer(request, body: body)
        guard (200..<300).contains(answer.status) else { throw Self.refusal(answer) }
        return answer
    }

    /// What the service says is wrong.
    static func refusal(_ answer: Answer) -> Problem {
        if let document = try? JSONDecoder().decode(ProblemDocument.self, from: answer.body) {
            var problem = document.problem(status: answer.status)
            if answer.status == 401, problem.fix == nil {
                problem.fix = "Log in again: burnd client login URL"
            }
            return problem
        }
        if (300..<400).contains(answer.status) {
            return Problem(
                .malformed, code: "service-redirected", title: "The service is at another address",
                detail: "It answered \(answer.status) and names \(answer["Location"] ?? "no place").",
                fix: "Log in at that address. A key is never sent on to another one.")
        }
        return Problem(
            .init(status: answer.status), code: "service-answer",
            title: "The service gave no answer of its kind",
            detail: "Status \(answer.status) without a problem document.",
            fix: "Check that the address is that of a BURN service.")
    }

    func unreachable(_ error: any Error) -> Problem {
        Problem(
            .unavailable, code: "service-unreachable", title: "The service can't be reached",
            detail: "\(address.text): \(error.localizedDescription)",
            fix: "Check the address and that the service runs.")
    }

    /// A GET that is tried again while the service can't be reached or is not available.
    /// - Returns: the body.
    public func get(_ path: String, query: [URLQueryItem] = [], headers: [String: String] = [:]) async throws
        -> Data
    {
        try await backoff.retrying {
            try await checked(request("GET", path, query: query, headers: headers)).body
        }
    }

    /// Asks once or twice whether there is a service, and lets this key in.
    public func reach() async throws {
        var patience = backoff
        patience.tries = 2
        _ = try await patience.retrying { try await checked(request("GET", "/v1/version")) }
    }

    public func post(_ path: String, json: Data? = nil, headers: [String: String] = [:]) async throws -> Data
    {
        var headers = headers
        if json != nil { headers["Content-Type"] = "application/json" }
        return try await checked(request("POST", path, headers: headers), body: json ?? Data()).body
    }

    public func decode<Value: Decodable>(_ data: Data, as type: Value.Type = Value.self) throws -> Value {
        do { return try JSONDecoder().decode(type, from: data) } catch {
            throw Problem(
                .internal, code: "service-answer", title: "The service gave no answer of its kind",
                detail: "\(error)", fix: "Check that burnd here and there are of the same version.")
        }
    }
}

/// A redirect could carry the key to another host.
final class RedirectRefusal: NSObject, URLSessionTaskDelegate, Sendable {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

/// How often and how long after one another something is tried.
struct Backoff: Sendable {
    /// Tries after the first one, without progress in between.
    var tries = 8
    var first = Duration.milliseconds(250)
    var longest = Duration.seconds(8)

    func delay(after failures: Int) -> Duration {
        min(longest, first * (1 << min(failures, 10)))
    }

    /// What may be better in a moment.
    static func isPassing(_ problem: Problem) -> Bool {
        problem.category == .unavailable || problem.category == .rateLimited
    }

    func retrying<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            do { return try await body() } catch let problem as Problem
                where Self.isPassing(problem) && failures < tries
            {
                try await Task.sleep(for: delay(after: failures))
                failures += 1
            }
        }
    }
}

extension ServiceClient {
    /// Starts a job. It is tried again where no answer came: the key keeps that from making a second one.
    public func submit(_ job: Data, idempotencyKey: String) async throws -> Data {
        let request = request(
            "POST", "/v1/jobs",
            headers: ["Content-Type": "application/json", "Idempotency-Key": idempotencyKey])
        return try await backoff.retrying { try await checked(request, body: job).body }
    }
}
