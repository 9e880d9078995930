import Findings
import Foundation
import HTTPServer
import JobStore
import Support
import WorkerProtocol

extension RESTService {
    /// Seconds after which one of the pictures that wait will be there.
    private static let busySeconds = 5
    /// A picture at its address never changes.
    private static let keep = "private, max-age=86400, immutable"

    func addPictureRoutes(to router: inout Router) {
        router.on(.get, "/v1/jobs/{id}/samples/{index}/thumbnail") { request in
            try request.head.allowQuery()
            let index = try request.sampleIndex()
            return try await busyTold(request.head) {
                let data = try await queue.pictures.thumbnail(of: request.id, sample: index)
                return Self.picture(data, type: "image/jpeg", request.head)
            }
        }
        router.on(.get, "/v1/jobs/{id}/samples/{index}/image") { request in
            try request.head.allowQuery("view")
            let view = try request.head.queryOne("view", of: SampleView.self) ?? .original
            let index = try request.sampleIndex()
            return try await busyTold(request.head) {
                let picture = try await queue.pictures.picture(of: request.id, sample: index, view)
                var headers: HTTPFields = [.cacheControl: Self.keep]
                if view == .perturbation {
                    headers[.xAmplification] = Self.factor(picture.amplification)
                }
                let file = FileBody(path: picture.path, etag: picture.sha256, contentType: "image/png")
                return HTTPResponse(status: .ok, headers: headers, body: .file(file))
            }
        }
        router.on(.get, "/v1/jobs/{id}/triggers") { request in
            try request.head.allowQuery()
            let job = try await detected(request.id)
            let triggers = try await store.triggers(of: job.id)
            return try JSON.response(
                ItemsResource(items: triggers.map { TriggerResource(trigger: $0, job: job.id) }))
        }
        router.on(.get, "/v1/jobs/{id}/triggers/{label}/image") { request in
            try request.head.allowQuery("view")
            let view = try request.head.queryOne("view", of: TriggerView.self) ?? .direction
            let label = try request.pathNumber("label", what: "trigger")
            let job = try await detected(request.id)
            guard let trigger = try await store.triggers(of: job.id).first(where: { $0.label == label }),
                let blob = job.artifact(view.role, label: label),
                let path = artifacts.path(of: blob.sha256)
            else {
                throw Problem(
                    .notFound, code: "trigger-not-found", title: "No such trigger",
                    detail: "No trigger was estimated for class \(label) in job \(job.id).",
                    fix: "GET /v1/jobs/\(job.id)/triggers lists those that there are.")
            }
            var headers: HTTPFields = [.cacheControl: Self.keep]
            if view == .direction { headers[.xAmplification] = Self.factor(trigger.amplification) }
            let file = FileBody(path: path, etag: blob.sha256, contentType: "image/png")
            return HTTPResponse(status: .ok, headers: headers, body: .file(file))
        }
    }

    /// - Throws: `Problem` `job-not-found`; `result-not-ready` (conflict) before the detection is finished.
    private func detected(_ id: String) async throws -> JobRecord {
        let job = try await store.job(id)
        guard job.phases.contains(where: { $0.phase == .detection }) else {
            throw Self.notReady(job, "estimated trigger")
        }
        return job
    }

    /// Tells whom there are too many pictures before when to come back.
    private func busyTold(
        _ head: HTTPRequestHead, _ body: () async throws -> HTTPResponse
    ) async throws -> HTTPResponse {
        do { return try await body() } catch let problem as Problem where problem.category == .rateLimited {
            return .problem(
                problem, instance: head.path, headers: [.retryAfter: String(Self.busySeconds)])
        }
    }

    /// A small picture with its entity tag; 304 for whom has it.
    private static func picture(_ data: Data, type: String, _ head: HTTPRequestHead) -> HTTPResponse {
        let digest = Digest.sha256(data).hexadecimal
        let tag = "\"\(digest)\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: keep]
        let known = head.headers.list(.ifNoneMatch).map {
            $0.hasPrefix("W/") ? String($0.dropFirst(2)) : $0
        }
        if known.contains(where: { $0 == "*" || $0 == tag }) {
            return HTTPResponse(status: .notModified, headers: headers)
        }
        return .data(data, type: type, headers: headers)
    }

    /// In four digits.
    private static func factor(_ value: Double) -> String { String(format: "%.4g", value) }
}

extension TriggerView {
    fileprivate var role: WorkerArtifact.Role {
        switch self {
        case .direction: .triggerDirection
        case .clean: .triggerClean
        case .stamped: .triggerStamped
        }
    }
}

/// An estimated trigger as the API shows it.
private struct TriggerResource: Encodable {
    var trigger: TriggerFinding
    var job: String

    private enum CodingKeys: String, CodingKey {
        case label, name, form, effect, random, images
    }

    private enum ImageKeys: String, CodingKey {
        case direction, clean, stamped, amplification
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(trigger.label, forKey: .label)
        try container.encode(trigger.name, forKey: .name)
        try container.encode(trigger.form, forKey: .form)
        try container.encode(trigger.effect, forKey: .effect)
        try container.encode(trigger.random, forKey: .random)
        var images = container.nestedContainer(keyedBy: ImageKeys.self, forKey: .images)
        let path = "\(JobResource.path(job))/triggers/\(trigger.label)/image?view="
        try images.encode(path + TriggerView.direction.rawValue, forKey: .direction)
        try images.encode(path + TriggerView.clean.rawValue, forKey: .clean)
        try images.encode(path + TriggerView.stamped.rawValue, forKey: .stamped)
        try images.encode(trigger.amplification, forKey: .amplification)
    }
}
