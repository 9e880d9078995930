import Foundation
import HTTPServer
import Testing

@testable import API

@Suite struct JobRouteTests {
    @Test func aPurificationIsAcceptedRunAndShown() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.purification, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let accepted = try await service.submit(
                "purify", model: model, dataset: dataset,
                more:
                    #", "evaluation": {"clean": "\#(dataset)", "target_class": 2}, "options": {"seed": 18446744073709551615}"#
            )
            #expect(accepted.status == 202)
            let id: String = try #require(try accepted.value("id"))
            #expect(accepted.headers[.location] == "/v1/jobs/\(id)")
            #expect(accepted.headers[.retryAfter] != nil)

            let done = try await service.send(.get, "/v1/jobs/\(id)", headers: [.prefer: "wait=30"])
            #expect(done.status == 200)
            #expect(done.headers[.retryAfter] == nil)
            #expect(try done.value("state") == "succeeded")
            #expect(try done.value("progress", "fraction") == 1)
            #expect(try done.value("progress", "eta_seconds") == 0)
            #expect(try done.value("verdict", "result") == "backdoored")
            #expect(try done.value("metrics", "before", "asr") == 1)
            #expect(try done.json.keys.contains("error"))
            #expect(try done.value("options", "seed", as: NSNumber.self)?.uint64Value == .max)
            #expect(try done.value("evaluation", "target_class") == 2)
            let links: [String: String] = try #require(try done.value("links"))
            #expect(
                Set(links.keys) == [
                    "self", "events", "evidence", "metrics", "samples", "reviews", "labels", "model",
                ])
            for link in links.values { #expect(try await service.send(.get, link).status == 200, "\(link)") }
        }
    }

    @Test(arguments: [
        ("", "json-malformed", ""), ("{", "json-malformed", ""), ("[]", "json-field-invalid", ""),
        (#"{"type": "scan"}"#, "json-field-missing", "/model"),
        (#"{"type": "heal", "model": "a", "dataset": "b"}"#, "json-field-invalid", "/type"),
        (#"{"type": "scan", "model": 7, "dataset": "b"}"#, "json-field-invalid", "/model"),
        (#"{"type": "scan", "model": "a", "dataset": "b", "x/y": 1}"#, "json-field-unknown", "/x~1y"),
        (options(#"{"sede": 1}"#), "json-field-unknown", "/options/sede"),
        (options(#"{"seed": -1}"#), "json-field-invalid", "/options/seed"),
        (options(#"{"seed": 1.5}"#), "json-field-invalid", "/options/seed"),
        (options(#"{"rounds": 21}"#), "json-field-invalid", "/options/rounds"),
        (options(#"{"threads": true}"#), "json-field-invalid", "/options/threads"),
        (options(#"{"trusted": ""}"#), "json-field-invalid", "/options/trusted"),
        (options(#"{"force": 1}"#), "json-field-invalid", "/options/force"),
        (options(#"{"method": "publishd"}"#), "json-field-invalid", "/options/method"),
        (options(#"{"method": 1}"#), "json-field-invalid", "/options/method"),
        (options(#"{"distance": "l1"}"#), "json-field-invalid", "/options/distance"),
        (options(#"{"input": {"range": [1, 0]}}"#), "json-field-invalid", "/options/input/range"),
        (options(#"{"input": {"std": [0.2, 0]}}"#), "json-field-invalid", "/options/input/std/1"),
        (options(#"{"input": {"mean": ["a"]}}"#), "json-field-invalid", "/options/input/mean/0"),
        (options(#"{"classes": {"a": 0, "b": 0}}"#), "json-field-invalid", "/options/classes/b"),
        (options(#"{"classes": {"a": -1}}"#), "json-field-invalid", "/options/classes/a"),
        (
            #"{"type": "scan", "model": "a", "dataset": "b", "evaluation": {"target_class": 1}}"#,
            "json-field-missing", "/evaluation"
        ),
    ])
    func aWrongBodyIsNamedByItsPointer(body: String, code: String, pointer: String) async throws {
        try await withHarness { service in
            let answer = try await service.send(.post, "/v1/jobs", body: Data(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(try answer.value("code") == code)
            #expect(try answer.value("location") ?? "" == pointer)
        }
    }

    @Test func whatDoesNotGoTogetherIsRefused() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.scan, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            func refusal(_ more: String, dataset: String) async throws -> (Int, String?, String?) {
                let answer = try await service.submit("scan", model: model, dataset: dataset, more: more)
                return (answer.status, try answer.value("code"), try answer.value("location"))
            }
            #expect(try await refusal("", dataset: "dst_nowhere") == (404, "dataset-not-found", "/dataset"))
            #expect(
                try await refusal(#", "options": {"input": {"mean": [0.5, 0.5]}}"#, dataset: dataset)
                    == (422, "scaling-channels-mismatch", "/options/input/mean"))
            #expect(
                try await refusal(#", "options": {"input": {"preset": "mnist"}}"#, dataset: dataset)
                    == (422, "scaling-channels-mismatch", "/options/input/mean"))
            // One number is for all channels: so is what many models take, 0.5 of each.
            #expect(
                try await refusal(#", "options": {"input": {"preset": "half"}}"#, dataset: dataset).0 < 300)
            #expect(
                try await refusal(#", "options": {"classes": {"a": 0}}"#, dataset: dataset)
                    == (422, "classes-mismatch", "/options/classes"))
            #expect(
                try await refusal(#", "options": {"classes": {"a": 0, "b": 3}}"#, dataset: dataset)
                    == (422, "classes-mismatch", "/options/classes"))
            #expect(
                try await refusal(
                    #", "evaluation": {"clean": "\#(dataset)", "target_class": 3}"#, dataset: dataset)
                    == (422, "target-class-out-of-range", "/evaluation/target_class"))
            #expect(
                try await refusal(#", "evaluation": {"clean": "dst_nowhere"}"#, dataset: dataset)
                    == (404, "dataset-not-found", "/evaluation/clean"))
            #expect(
                try await refusal(#", "options": {"trusted": "dst_nowhere"}"#, dataset: dataset)
                    == (404, "dataset-not-found", "/options/trusted"))
            let type = try await service.submit(
                "scan", model: model, dataset: dataset, headers: [.contentType: "text/plain"])
            #expect(type.status == 415)
        }
    }

    @Test func anIdempotencyKeyMakesOneJob() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.scan, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let key: HTTPFields = [.idempotencyKey: "0f5c"]
            let first = try await service.submit("scan", model: model, dataset: dataset, headers: key)
            // The same request in another spelling.
            let again = try await service.submit(
                "scan", model: model, dataset: dataset, more: #", "options": {}"#, headers: key)
            #expect(first.status == 202 && again.status == 202)
            #expect(try first.value("id", as: String.self) == again.value("id"))
            #expect(first.headers[.idempotencyReplayed] == nil)
            #expect(again.headers[.idempotencyReplayed] == "true")
            let other = try await service.submit("purify", model: model, dataset: dataset, headers: key)
            #expect(other.status == 422)
            #expect(try other.value("code") == "idempotency-key-reused")
            let list: [Any]? = try await service.send(.get, "/v1/jobs").value("items")
            #expect(list?.count == 1)
            let empty = try await service.submit(
                "scan", model: model, dataset: dataset, headers: [.idempotencyKey: ""])
            #expect(empty.status == 400)
        }
    }

    @Test func aFullQueueSaysWhenToComeBack() async throws {
        try await withHarness(maximumQueued: 1) { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            var answers: [Int] = []
            for _ in 0..<4 {
                let answer = try await service.submit("scan", model: model, dataset: dataset)
                answers.append(answer.status)
                if answer.status == 429 { #expect(answer.headers[.retryAfter] != nil) }
            }
            #expect(answers.contains(429))
        }
    }

    @Test func jobsAreListedByStateAndType() async throws {
        try await withHarness { service in
            let scan = try await service.finishedJob("scan", script: Script.scan)
            let failed = try await service.finishedJob("purify", script: Script.failing)
            func ids(_ query: String) async throws -> [String] {
                let items: [[String: Any]]? = try await service.send(.get, "/v1/jobs" + query).value("items")
                return items?.compactMap { $0["id"] as? String } ?? []
            }
            #expect(try await ids("") == [failed, scan])
            #expect(try await ids("?type=scan") == [scan])
            #expect(try await ids("?state=failed") == [failed])
            #expect(try await ids("?state=queued") == [])
            #expect(try await service.send(.get, "/v1/jobs?state=done").status == 400)
            #expect(try await service.send(.get, "/v1/jobs?limit=0").status == 400)
            #expect(try await service.send(.get, "/v1/jobs?limit=1001").status == 400)
            #expect(try await service.send(.get, "/v1/jobs?cursor=zzz").status == 400)
        }
    }

    @Test func cancelAndRetryFollowTheState() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let id: String = try #require(
                try await service.submit("scan", model: model, dataset: dataset).value("id"))
            #expect(try await service.send(.post, "/v1/jobs/\(id)/retry").status == 409)
            let cancelled = try await service.send(.post, "/v1/jobs/\(id)/cancel")
            #expect(cancelled.status == 202)
            #expect(try await service.queue.waitForJob(id, timeout: .seconds(20)).state == .cancelled)
            let retried = try await service.send(.post, "/v1/jobs/\(id)/retry")
            #expect(retried.status == 202)
            #expect(try await service.send(.post, "/v1/jobs/\(id)/cancel").status == 202)

            let done = try await service.finishedJob("scan", script: Script.scan)
            #expect(try await service.send(.post, "/v1/jobs/\(done)/cancel").status == 409)
            #expect(try await service.send(.post, "/v1/jobs/\(done)/retry").status == 409)
            #expect(try await service.send(.post, "/v1/jobs/job_none/cancel").status == 404)
            #expect(try await service.send(.post, "/v1/jobs/job_none/retry").status == 404)
            #expect(try await service.send(.get, "/v1/jobs/job_none").status == 404)
        }
    }

    @Test func aFailedJobShowsItsError() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("scan", script: Script.failing)
            let job = try await service.send(.get, "/v1/jobs/\(id)")
            #expect(try job.value("state") == "failed")
            #expect(try job.value("error", "code") == "scripted-failure")
            #expect(try job.value("error", "status") == 422)
            #expect(try job.value("links", "retry") == "/v1/jobs/\(id)/retry")
        }
    }
}

private func options(_ json: String) -> String {
    #"{"type": "scan", "model": "a", "dataset": "b", "options": \#(json)}"#
}
