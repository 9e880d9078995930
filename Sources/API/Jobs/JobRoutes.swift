import Findings
import Foundation
import HTTPServer
import JobStore
import Support

extension RESTService {
    /// Seconds after which a look at a running job makes sense.
    private static let pollSeconds = 2
    /// Seconds after which a full queue may have room.
    private static let fullSeconds = 30

    func addJobRoutes(to router: inout Router) {
        router.on(.post, "/v1/jobs", body: .collect(limit: limits.requestBytes)) { request in
            try await submit(request)
        }
        router.on(.get, "/v1/jobs") { request in
            let head = request.head
            try head.allowQuery("state", "type", "limit", "cursor")
            let page = try await store.jobs(
                state: head.queryOne("state", of: JobState.self),
                type: head.queryOne("type", of: JobType.self),
                limit: head.pageLimit(), cursor: head.queryValue("cursor"))
            return try JSON.response(page.resource { JobResource(job: $0) })
        }
        router.on(.get, "/v1/jobs/{id}") { request in
            try request.head.allowQuery()
            let job =
                if let wait = request.head.preferredWait {
                    try await queue.waitForJob(request.id, timeout: .seconds(wait))
                } else { try await store.job(request.id) }
            var headers = request.preferenceApplied
            if !job.state.isTerminal { headers[.retryAfter] = String(Self.pollSeconds) }
            return try JSON.response(JobResource(job: job), headers: headers)
        }
        router.on(.post, "/v1/jobs/{id}/cancel") { request in
            try request.head.allowQuery()
            return try accepted(await queue.cancel(request.id))
        }
        router.on(.post, "/v1/jobs/{id}/retry") { request in
            try request.head.allowQuery()
            return try accepted(await queue.retry(request.id))
        }
        router.on(.delete, "/v1/jobs/{id}") { request in
            try request.head.allowQuery()
            try await queue.remove(request.id)
            return HTTPResponse(status: .noContent)
        }
        addEventRoute(to: &router)
    }

    private func accepted(_ job: JobRecord, headers: HTTPFields = [:]) throws -> HTTPResponse {
        var headers = headers
        headers[.location] = JobResource.path(job.id)
        headers[.retryAfter] = String(Self.pollSeconds)
        return try JSON.response(JobResource(job: job), status: .accepted, headers: headers)
    }

    private func submit(_ request: HTTPRequest) async throws -> HTTPResponse {
        try request.head.allowQuery()
        try Self.requireJSON(request.head)
        let key = try idempotencyKey(request.head)
        let wanted = try JobRequestReader.read(request.data)
        if let webhook = wanted.webhook { try webhooks.check(webhook.url, at: "/webhook") }
        try await checkMatch(wanted)
        let hash = Digest.sha256(try JSON.data(wanted)).hexadecimal
        do {
            let apiKey = (request.head.principal as? Principal)?.key
            if let apiKey { try checkSlots(wanted.options, apiKey) }
            let submission = try await queue.submit(
                wanted, idempotencyKey: key, requestHash: hash, owner: apiKey?.id,
                maximumQueuedOfOwner: apiKey?.quota.queuedJobs ?? access.quotas.queuedJobs)
            return try accepted(
                submission.job, headers: submission.replayed ? [.idempotencyReplayed: "true"] : [:])
        } catch let problem as Problem where problem.category == .rateLimited {
            return .problem(
                problem, instance: request.head.path, headers: [.retryAfter: String(Self.fullSeconds)])
        }
    }

    /// - Throws: `Problem` `slots-beyond-quota`.
    private func checkSlots(_ options: JobOptions, _ key: KeyRecord) throws {
        let most = key.quota.jobSlots ?? access.quotas.jobSlots
        guard let slots = options.slots, slots > most else { return }
        throw Problem(
            .unprocessable, code: "slots-beyond-quota", title: "The job may not use so many slots",
            detail: "It asks for \(slots); a job of this key may use \(most).", location: "/options/slots",
            fix:
                "Ask for \(most) or fewer, or have the key's quota raised (quotas.job_slots, burnd keys create --job-slots)."
        )
    }

    /// - Throws: `Problem` `content-type-not-json` for a body that says it is something else.
    static func requireJSON(_ head: HTTPRequestHead) throws {
        guard let type = head.headers.first(.contentType), head.mediaType?.isJSON != true else { return }
        throw Problem(
            .unsupportedFormat, code: "content-type-not-json", title: "The body must be JSON",
            detail: "The Content-Type is \(type.prefix(80)).", location: "Content-Type",
            fix: "Send Content-Type: application/json.")
    }

    private func idempotencyKey(_ head: HTTPRequestHead) throws -> String? {
        let keys = head.headers[values: .idempotencyKey]
        guard let key = keys.first else { return nil }
        guard keys.count == 1, (1...255).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Problem(
                .malformed, code: "idempotency-key-invalid", title: "The Idempotency-Key is not valid",
                detail: "It is one value of 1 to 255 printable ASCII characters.",
                location: "Idempotency-Key",
                fix: "Send a UUID of your own for each new job.")
        }
        return key
    }

    /// Checks what is known already. Inputs that are missing, rejected or still importing are left to the
    /// queue, which knows of repeated submissions.
    private func checkMatch(_ request: JobRequest) async throws {
        guard let model = try await known({ try await store.model(request.model).summary }) else { return }
        let evaluation = request.evaluation
        var inputs = JobInputs(
            model: model, options: request.options, targetClass: evaluation?.targetClass)
        inputs.dataset = try await known { try await store.dataset(request.dataset).summary }
        let others: [(JobInputs.OtherSet, String?)] = [
            (.clean, evaluation?.clean), (.triggered, evaluation?.triggered),
            (.trusted, request.options.trusted),
        ]
        for case (let other, let id?) in others {
            inputs.others[other] = try await known { try await store.dataset(id).summary }
        }
        try inputs.check()
    }

    private func known<Summary>(_ load: () async throws -> Summary?) async throws -> Summary? {
        do {
            return try await load()
        } catch let problem as Problem where problem.category == .notFound {
            return nil
        }
    }
}
