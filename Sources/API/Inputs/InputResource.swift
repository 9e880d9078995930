import Findings
import Foundation
import HTTPServer
import JobStore
import Support

/// A model or data set as the API shows it.
struct InputResource<Summary: Codable & Hashable & Sendable>: Encodable {
    var record: InputRecord<Summary>
    var links: [String: String]
    /// Nil in listings.
    var jobs: [JobMention]?
    /// Of a model; nil in listings.
    var purified: [PurifiedModel]?

    enum CodingKeys: String, CodingKey {
        case id, name, state, bytes, sha256, summary, problem, links, architecture, skeleton, weights, output,
            jobs,
            purified
        case createdAt = "created_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record.id, forKey: .id)
        try container.encode(record.name, forKey: .name)
        try container.encode(record.state, forKey: .state)
        try container.encode(record.blob.size, forKey: .bytes)
        try container.encode(record.blob.sha256, forKey: .sha256)
        try container.encode(record.summary, forKey: .summary)
        try container.encode(record.problem.map { ProblemResource($0) }, forKey: .problem)
        try container.encode(Timestamp.text(record.createdAt), forKey: .createdAt)
        try container.encodeIfPresent(record.modelImport?.architecture, forKey: .architecture)
        try container.encodeIfPresent(record.modelImport?.skeleton, forKey: .skeleton)
        try container.encodeIfPresent(record.modelImport?.weights, forKey: .weights)
        try container.encodeIfPresent(record.modelImport?.output, forKey: .output)
        try container.encode(links, forKey: .links)
        try container.encodeIfPresent(jobs?.map { MentionResource(job: $0) }, forKey: .jobs)
        try container.encodeIfPresent(purified, forKey: .purified)
    }
}

/// A job beside what it used.
private struct MentionResource: Encodable {
    var job: JobMention

    enum CodingKeys: String, CodingKey {
        case id, type, state, verdict
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(job.id, forKey: .id)
        try container.encode(job.type, forKey: .type)
        try container.encode(job.state, forKey: .state)
        try container.encode(job.verdict, forKey: .verdict)
    }
}

extension InputResource where Summary == ModelSummary {
    init(model record: ModelRecord) {
        let path = BasePath.link("/v1/models/\(record.id)")
        self.init(record: record, links: ["self": path, "content": path + "/content"])
    }
}

extension InputResource where Summary == DatasetSummary {
    init(dataset record: DatasetRecord) {
        self.init(record: record, links: ["self": BasePath.link("/v1/datasets/\(record.id)")])
    }
}
