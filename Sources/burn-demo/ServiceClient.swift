import Findings
import Foundation
import FoundationNetworking

/// The few calls of the REST interface that the demonstration makes.
struct ServiceClient {
    let base: URL
    private let session: URLSession

    init(base: URL) {
        self.base = base
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 120
        session = URLSession(configuration: configuration)
    }

    enum Collection: String {
        case models, datasets
    }

    /// An uploaded model or data set.
    struct Resource: Decodable {
        var id: String
        /// `importing`, `ready` or `rejected`.
        var state: String
        var problem: ServiceProblem?
    }

    struct Job: Decodable {
        /// Of the whole job.
        struct Progress: Decodable {
            var fraction: Double
        }

        var id: String
        var state: String
        var phase: Phase?
        var progress: Progress?
        var verdict: Verdict?
        var metrics: PurificationMetrics?
        var error: ServiceProblem?
        /// What can be fetched now, by relation.
        var links: [String: String]

        var isOver: Bool { ["succeeded", "failed", "cancelled"].contains(state) }
    }

    struct FinishedPhase: Decodable {
        var phase: Phase
        var round: Int
        var seconds: Double
    }

    struct NewJob: Encodable {
        struct Evaluation: Encodable {
            var clean: String?
            var triggered: String?
            var targetClass: Int?

            enum CodingKeys: String, CodingKey {
                case clean, triggered
                case targetClass = "target_class"
            }
        }

        var type = JobType.purify
        var model: String
        var dataset: String
        var evaluation: Evaluation
        var options: [String: Int]
    }

    func isReady() async -> Bool {
        guard let (_, response) = try? await session.data(from: base.appending(path: "readyz")) else {
            return false
        }
        return (response as? HTTPURLResponse)?.statusCode == 200
    }

    /// Streams the file as the request's body.
    func upload(_ file: URL, to collection: Collection, name: String) async throws -> Resource {
        var request = request(
            "POST", "v1/\(collection.rawValue)", query: [URLQueryItem(name: "name", value: name)])
        request.setValue("application/octet-stream", forHTTPHeaderField: "Content-Type")
        let (data, response) = try await session.upload(for: request, fromFile: file)
        return try decode(data, response)
    }

    /// Waits until the service has looked at an upload.
    /// - Throws: `DemoFailure` with the service's own words when it was rejected.
    func settled(_ resource: Resource, in collection: Collection) async throws -> Resource {
        var current = resource
        while current.state == "importing" {
            try await Task.sleep(for: .milliseconds(200))
            current = try await get("v1/\(collection.rawValue)/\(resource.id)")
        }
        guard current.state == "ready" else {
            throw DemoFailure("The upload was rejected. \(current.problem?.text ?? "")")
        }
        return current
    }

    func post(_ job: NewJob) async throws -> Job {
        var request = request("POST", "v1/jobs")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try JSONEncoder().encode(job)
        let (data, response) = try await session.data(for: request)
        return try decode(data, response)
    }

    func job(_ id: String) async throws -> Job { try await get("v1/jobs/\(id)") }

    func phases(of job: String) async throws -> [FinishedPhase] {
        struct Metrics: Decodable {
            var phases: [FinishedPhase]
        }
        let metrics: Metrics = try await get("v1/jobs/\(job)/metrics")
        return metrics.phases
    }

    /// Every sample of a finished job.
    func samples(of job: String) async throws -> [SampleFinding] {
        var request = request("GET", "v1/jobs/\(job)/samples")
        request.setValue("application/x-ndjson", forHTTPHeaderField: "Accept")
        let (data, response) = try await session.data(for: request)
        try check(data, response)
        return try data.split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(SampleFinding.self, from: $0) }
    }

    func download(_ path: String, to file: URL) async throws {
        let (temporary, response) = try await session.download(for: request("GET", path))
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            try check(try Data(contentsOf: temporary), response)
            return
        }
        try? FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: temporary, to: file)
    }

    private func request(_ method: String, _ path: String, query: [URLQueryItem] = []) -> URLRequest {
        var url = base.appending(path: path)
        if !query.isEmpty { url.append(queryItems: query) }
        var request = URLRequest(url: url)
        request.httpMethod = method
        return request
    }

    private func get<Value: Decodable>(_ path: String) async throws -> Value {
        let (data, response) = try await session.data(for: request("GET", path))
        return try decode(data, response)
    }

    private func decode<Value: Decodable>(_ data: Data, _ response: URLResponse) throws -> Value {
        try check(data, response)
        return try JSONDecoder().decode(Value.self, from: data)
    }

    private func check(_ data: Data, _ response: URLResponse) throws {
        guard let response = response as? HTTPURLResponse else {
            throw DemoFailure("The service gave no HTTP answer.")
        }
        guard (200..<300).contains(response.statusCode) else {
            let problem = try? JSONDecoder().decode(ServiceProblem.self, from: data)
            throw DemoFailure(
                "\(response.url?.path ?? "The service") answered \(response.statusCode). \(problem?.text ?? "")"
            )
        }
    }
}

/// The members of problem+json that are shown.
struct ServiceProblem: Decodable {
    var title: String
    var detail: String?
    var location: String?
    var fix: String?

    var text: String {
        [title + ":", detail, location.map { "[\($0)]" }, fix].compactMap(\.self).joined(separator: " ")
    }
}

/// What ends the demonstration, in words for its user.
struct DemoFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
