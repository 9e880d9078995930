import Findings
import Foundation
import HTTPServer
import JobStore
import Support

extension RESTService {
    func addEvidenceRoutes(to router: inout Router) {
        router.on(.get, "/v1/jobs/{id}/evidence") { request in
            try request.head.allowQuery()
            let evidence = try await store.evidence(of: request.id)
            let job = try await store.job(request.id)
            let names = try? await classNames(of: job)
            return try JSON.response(
                EvidenceResource(classes: job.verdict?.evidence.classes ?? [], names: names ?? [], evidence))
        }
        router.on(.get, "/v1/jobs/{id}/samples/{index}") { request in
            try request.head.allowQuery()
            let sample = try await store.sample(of: request.id, request.sampleIndex())
            return try JSON.response(SampleResource(sample))
        }
        router.on(.get, "/v1/jobs/{id}/curves") { request in
            try request.head.allowQuery()
            let curves = try await store.curves(of: request.id)
            return try JSON.response(ItemsResource(items: curves.map { CurveResource(curve: $0) }))
        }
        router.on(.get, "/v1/jobs/{id}/assessment") { request in
            try request.head.allowQuery()
            let job = try await store.job(request.id)
            guard job.state == .succeeded else { throw Self.notReady(job, "assessment") }
            let (assessment, changed) = try await store.assessment(of: job.id)
            return try JSON.response(
                AssessmentResource(
                    evaluation: assessment?.evaluation, holdout: assessment?.holdout, labelsChanged: changed))
        }
    }

    /// One for each of the model's outputs; those that no class of the data set has are called by their number.
    private func classNames(of job: JobRecord) async throws -> [String] {
        // The verdict names every class; without one, the data set's own.
        if let classes = job.verdict?.evidence.classes, !classes.isEmpty { return classes.map(\.name) }
        return try await store.dataset(job.request.dataset).summary?.classes.map(\.name) ?? []
    }
}

extension HTTPRequest {
    /// The `{index}` of the address.
    func sampleIndex() throws -> Int { try pathNumber("index", what: "sample") }

    /// A part of the address that is a number; anything else is at no address.
    func pathNumber(_ name: String, what: String) throws -> Int {
        let text = head.parameters[name] ?? ""
        guard let number = Int(text), (0...Int(Int32.max)).contains(number), String(number) == text else {
            throw Problem(
                .notFound, code: "\(what)-not-found", title: "No such \(what)",
                detail: "\"\(text.prefix(64))\" is no \(what)'s number.",
                fix: "Name one by its number, from 0 on.")
        }
        return number
    }
}

/// What `GET /v1/jobs/{id}/evidence` answers.
private struct EvidenceResource: Encodable {
    var classes: [ClassEvidence]
    var distances: SampleEvidence.Histograms
    var labels: [SampleEvidence.Restored]
    var adversarialLabels: [SampleEvidence.Adversarial]
    var classNames: [String]

    init(classes: [ClassEvidence], names: [String], _ evidence: SampleEvidence) {
        self.classes = classes
        distances = evidence.distances
        labels = evidence.labels
        adversarialLabels = evidence.adversarialLabels
        classNames = names
    }

    enum CodingKeys: String, CodingKey {
        case classes
        case distances = "distance_histograms"
        case labels = "label_matrix"
        case adversarialLabels = "adversarial_labels"
        case classNames = "class_names"
    }
}
