import Foundation
import HTTPServer
import JobStore
import Support

/// An entry of a job's log as the API shows it.
struct EventResource: Encodable {
    var event: JobEvent

    private enum CodingKeys: String, CodingKey {
        case id, type, time, data
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(event.id, forKey: .id)
        try container.encode(event.kind, forKey: .type)
        try container.encode(Timestamp.text(event.at), forKey: .time)
        try container.encode(
            try StrictJSON.parse(Array(event.data.utf8)), forKey: .data)
    }
}

extension RESTService {
    func addEventRoute(to router: inout Router) {
        router.on(.get, "/v1/jobs/{id}/events") { request in
            let head = request.head
            try head.allowQuery("limit", "cursor", "format")
            let stream =
                switch head.queryValue("format") {
                case nil: head.negotiated(["application/json", "text/event-stream"]) == "text/event-stream"
                case "json": false
                case "sse": true
                case .some: throw HTTPRequestHead.invalid("format", "format is json or sse.")
                }
            let after = try lastEvent(head)
            let job = try await store.job(request.id)
            return stream ? events(of: job, after: after) : try await eventPage(of: job, after: after, head)
        }
    }

    /// The id to go on after: Last-Event-ID (a reconnecting EventSource) before the cursor of the address.
    private func lastEvent(_ head: HTTPRequestHead) throws -> Int64 {
        let cursor = try cursor(head)
        if let text = head.headers.first(.lastEventID), !text.isEmpty {
            guard let id = Int64(text), id >= 0 else {
                throw Problem(
                    .malformed, code: "last-event-id-invalid", title: "The Last-Event-ID is not valid",
                    detail: "\"\(text.prefix(80))\" is no event's id.", location: "Last-Event-ID",
                    fix: "Send the id of the last event received.")
            }
            return id
        }
        return cursor
    }

    private func cursor(_ head: HTTPRequestHead) throws -> Int64 {
        guard let text = head.queryValue("cursor") else { return 0 }
        guard let id = Int64(text), id >= 0 else {
            throw Problem(
                .malformed, code: "invalid-cursor", title: "The cursor is not valid",
                detail: "\"\(text.prefix(80))\" is no cursor of this list.", location: "cursor",
                fix: "Pass next_cursor of the page before.")
        }
        return id
    }

    /// While the job goes on there is always a next cursor: events may still come.
    private func eventPage(of job: JobRecord, after: Int64, _ head: HTTPRequestHead) async throws
        -> HTTPResponse
    {
        let limit = try head.pageLimit()
        let events = try await store.events(of: job.id, after: after, limit: limit)
        let more = events.count == limit || !job.state.isTerminal
        let page = PageResource(
            items: events.map { EventResource(event: $0) },
            nextCursor: more ? String(events.last?.id ?? after) : nil)
        return try JSON.response(page)
    }

    private func events(of job: JobRecord, after: Int64) -> HTTPResponse {
        let events = queue.events(of: job.id, after: after)
        return HTTPResponse(
            status: .ok,
            body: .events { writer in
                for try await event in events {
                    try await writer.send(
                        ServerSentEvent(id: String(event.id), event: event.kind.rawValue, data: event.data))
                }
            })
    }
}
