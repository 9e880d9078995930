import Foundation
import HTTPServer
import Testing

@Suite struct ReviewRouteTests {
    private func put(_ items: String, _ id: String, _ service: Harness) async throws -> Harness.Answer {
        try await service.send(.put, "/v1/jobs/\(id)/reviews", body: Data("{\"items\": [\(items)]}".utf8))
    }

    @Test func reviewsAreKeptChangedAndTakenBack() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let first = try await put(
                #"{"index":5,"decision":"accept"},{"index":6,"decision":"relabel","label":2},{"index":7,"decision":"reject"}"#,
                id, service)
            #expect(first.text == #"{"changed":3,"total":3}"#)
            let second = try await put(
                #"{"index":5,"decision":null},{"index":7,"decision":"accept","label":null}"#, id, service)
            #expect(second.text == #"{"changed":2,"total":2}"#)
            let page = try await service.send(.get, "/v1/jobs/\(id)/reviews?limit=1")
            let cursor: String = try #require(try page.value("next_cursor"))
            #expect(page.text.contains(#"{"decision":"relabel","index":6,"label":2}"#))
            let rest = try await service.send(.get, "/v1/jobs/\(id)/reviews?cursor=\(cursor)")
            #expect(rest.text.contains(#"{"decision":"accept","index":7,"label":null}"#))
            #expect(try rest.json["next_cursor"] is NSNull)
            let sample = try await service.send(.get, "/v1/jobs/\(id)/samples/6")
            #expect(try sample.value("review", "decision") == "relabel")
        }
    }

    @Test func impossibleReviewsChangeNothing() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let good = #"{"index":1,"decision":"accept"}"#
            for (items, status) in [
                (#"{"index":250,"decision":"accept"}"#, 422), (#"{"index":-1,"decision":"accept"}"#, 400),
                (#"{"index":1,"decision":"reject"}"#, 400), (#"{"index":2,"decision":"maybe"}"#, 400),
                (#"{"index":2,"decision":"relabel"}"#, 400),
                (#"{"index":2,"decision":"accept","label":1}"#, 400),
                // The model has three outputs.
                (#"{"index":2,"decision":"relabel","label":3}"#, 422),
                (#"{"index":2,"decision":"relabel","label":-1}"#, 400), (#"{"decision":"accept"}"#, 400),
                (#"{"index":2,"decision":"accept","why":"x"}"#, 400), ("7", 400),
            ] {
                #expect(try await put(good + "," + items, id, service).status == status, "\(items)")
            }
            #expect(try await put("", id, service).status == 400)
            #expect(try await service.send(.get, "/v1/jobs/\(id)/reviews").text.contains(#""items":[]"#))
            #expect(try await put(good, "job_none", service).status == 404)
            let text = try await service.send(
                .put, "/v1/jobs/\(id)/reviews", body: Data("{}".utf8), headers: [.contentType: "text/plain"]
            )
            #expect(text.status == 415)
            let waiting = try await service.finishedJob("scan", script: Script.failing)
            #expect(try await put(good, waiting, service).status == 409)
        }
    }

    @Test func aPurificationGoesByTheReviewsAsTheyWereWhenItWasSubmitted() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let request = try await service.store.job(id).request
            func submit(_ type: String = "purify", model: String? = nil, of job: String) async throws
                -> Harness.Answer
            {
                try await service.submit(
                    type, model: model ?? request.model, dataset: request.dataset,
                    more: #", "reviews_of": "\#(job)""#)
            }
            #expect(try await submit(of: id).value("code") == "reviews-missing")
            _ = try await put(
                #"{"index":5,"decision":"accept"},{"index":6,"decision":"relabel","label":2},{"index":7,"decision":"reject"}"#,
                id, service)
            let accepted = try await submit(of: id)
            #expect(accepted.status == 202)
            #expect(try accepted.value("reviews_of") == id)
            _ = try await put(#"{"index":5,"decision":null}"#, id, service)
            let second: String = try #require(try accepted.value("id"))
            _ = try await service.queue.waitForJob(second, timeout: .seconds(30))
            // The scripted worker tells what it was given.
            let told = try await service.send(.get, "/v1/jobs/\(second)/metrics")
            let names: [[String: Any]] = try #require(try told.value("items"))
            #expect(names.compactMap { $0["name"] as? String } == ["5 accept", "6 relabel", "7 reject"])
            #expect(names.compactMap { $0["value"] as? Double } == [-1, 2, -1])

            #expect(try await submit("scan", of: id).status == 422)
            #expect(try await submit(of: "job_none").status == 404)
            let other = try await service.upload(Script.shown, to: "models")
            #expect(try await submit(model: other, of: id).value("code") == "reviews-of-another-case")
        }
    }
}
