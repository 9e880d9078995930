import Findings
import Foundation
import ServiceClient

/// The job that the demonstration submits.
struct DemoJob: Encodable {
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

struct FinishedPhase: Decodable {
    var phase: Phase
    var round: Int
    var seconds: Double
}

/// What the demonstration asks beyond what every client does.
extension ServiceClient {
    func job(_ id: String) async throws -> JobReply { try decode(try await get("v1/jobs/\(id)")) }

    func phases(of job: String) async throws -> [FinishedPhase] {
        struct Metrics: Decodable {
            var phases: [FinishedPhase]
        }
        return try decode(try await get("v1/jobs/\(job)/metrics"), as: Metrics.self).phases
    }

    /// Every sample of a finished job.
    func samples(of job: String) async throws -> [SampleFinding] {
        try await get("v1/jobs/\(job)/samples", headers: ["Accept": "application/x-ndjson"])
            .split(separator: UInt8(ascii: "\n")).map { try decode($0) }
    }
}

/// What ends the demonstration, in words for its user.
struct DemoFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
