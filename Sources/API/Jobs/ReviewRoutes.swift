import Findings
import Foundation
import HTTPServer
import JobStore
import Support

extension RESTService {
    /// The most reviews of one request.
    private static let mostReviews = 20_000

    func addReviewRoutes(to router: inout Router) {
        router.on(.put, "/v1/jobs/{id}/reviews", body: .collect(limit: limits.requestBytes)) { request in
            try request.head.allowQuery()
            try Self.requireJSON(request.head)
            let job = try await store.job(request.id)
            let edits = try reviews(request.data, classes: await outputs(of: job))
            return try JSON.response(try await store.review(job.id, edits))
        }
        router.on(.get, "/v1/jobs/{id}/reviews") { request in
            try request.head.allowQuery("limit", "cursor")
            let page = try await store.reviews(
                of: request.id, limit: request.head.pageLimit(), cursor: request.head.queryValue("cursor"))
            return try JSON.response(page.resource { ReviewResource(review: $0) })
        }
    }

    /// Number of outputs of a job's model; nil where nothing tells any more.
    private func outputs(of job: JobRecord) async throws -> Int? {
        do {
            if let classes = try await store.model(job.request.model).summary?.classes { return classes }
        } catch let problem as Problem where problem.category == .notFound {}
        return job.verdict.map(\.evidence.classes.count).flatMap { $0 > 0 ? $0 : nil }
    }

    private func reviews(_ data: Data, classes: Int?) throws -> [ReviewEdit] {
        let items = try JSONReader(parsing: data).fields(["items"]).required("items").array(
            1...Self.mostReviews)
        var seen: Set<Int> = []
        return try items.map { item in
            let fields = try item.fields(["index", "decision", "label"])
            let index = try fields.required("index")
            let number = try index.int(0...Int(Int32.max))
            guard seen.insert(number).inserted else { throw index.wrong("each sample once") }
            let decision = try fields["decision"]?.one(of: SampleReview.Decision.self)
            let label = fields["label"]
            guard decision == .relabel else {
                if let label { throw label.wrong("a label only with the decision \"relabel\"") }
                return ReviewEdit(index: number, decision: decision)
            }
            let reader = try fields.required("label")
            let given = try reader.int(0...Int(Int32.max))
            if let classes, given >= classes {
                throw reader.wrong(
                    "one of the model's outputs, 0 to \(classes - 1)", category: .unprocessable)
            }
            return ReviewEdit(index: number, decision: decision, label: given)
        }
    }
}

private struct ReviewResource: Encodable {
    var review: SampleReview

    enum CodingKeys: String, CodingKey {
        case index, decision, label
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(review.index, forKey: .index)
        try container.encode(review.decision, forKey: .decision)
        try container.encode(review.label, forKey: .label)
    }
}
