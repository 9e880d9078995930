import Foundation
import HTTPServer
import Testing

@testable import API

@Suite struct ResultRouteTests {
    @Test func samplesComeInPagesInAnyOrder() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.purification)
            func all(_ query: String) async throws -> [[String: Any]] {
                var samples: [[String: Any]] = []
                var cursor = ""
                repeat {
                    let page = try await service.send(.get, "/v1/jobs/\(id)/samples?\(query)\(cursor)")
                    try #require(page.status == 200)
                    samples += try page.value("items") ?? []
                    let next: String? = try page.value("next_cursor")
                    cursor = next.map { "&cursor=\($0)" } ?? ""
                } while !cursor.isEmpty
                return samples
            }
            let byIndex = try await all("limit=99")
            #expect(byIndex.compactMap { $0["index"] as? Int } == Array(0..<250))
            #expect(
                Set(byIndex[0].keys) == [
                    "index", "name", "given_label", "predicted_label", "boundary_distance",
                    "adversarial_label", "coherence", "score", "flagged", "restored_label",
                    "label_confidence", "review",
                ])
            #expect(try await all("flagged=true").count == 25)
            #expect(try await all("flagged=false&limit=1000").count == 225)
            let second = try await all("class=1")
            #expect(second.count == 83 && second.allSatisfy { $0["given_label"] as? Int == 1 })
            let far = try await all("sort=-boundary_distance&limit=60").compactMap {
                $0["boundary_distance"] as? Double
            }
            #expect(far.count == 250 && far == far.sorted(by: >))
            let cursor: String? = try await service.send(.get, "/v1/jobs/\(id)/samples?limit=2").value(
                "next_cursor")
            let foreign = try await service.send(
                .get, "/v1/jobs/\(id)/samples?sort=score&cursor=\(try #require(cursor))")
            #expect(foreign.status == 400)
        }
    }

    @Test func samplesComeAsTables() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.purification)
            let path = "/v1/jobs/\(id)/samples"
            let csv = try await service.send(.get, path + "?flagged=true", headers: [.accept: "text/csv"])
            #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
            let lines = csv.text.components(separatedBy: "\r\n")
            #expect(lines.count == 27 && lines.last == "")
            #expect(lines[0].hasPrefix("index,name,given_label,"))
            #expect(lines[2] == "10,1/10.png,1,0,\(3.0 / 7),1,0.5,0.9,true,2,")
            let json = try await service.send(.get, path + "?format=ndjson")
            #expect(json.headers[.contentType] == "application/x-ndjson")
            let rows = try json.body.split(separator: 0x0A).map {
                try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
            }
            #expect(rows.compactMap { $0["index"] as? Int } == Array(0..<250))
            #expect(try await service.send(.get, path + "?format=csv&limit=3").status == 400)
            #expect(try await service.send(.get, path + "?format=xml").status == 400)
            #expect(try await service.send(.get, path + "?sort=name").status == 400)
            #expect(try await service.send(.get, path + "?flagged=maybe").status == 400)
            #expect(try await service.send(.get, path + "?flaged=true").status == 400)
            let preferred = try await service.send(
                .get, path, headers: [.accept: "text/csv;q=0.5, application/json;q=0.9, */*;q=0.1"])
            #expect(preferred.headers[.contentType] == "application/json")
        }
    }

    @Test func resultsThatAreNotThereYetAreConflicts() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let id: String = try #require(
                try await service.submit("purify", model: model, dataset: dataset).value("id"))
            for result in ["samples", "samples?format=csv", "model", "labels"] {
                #expect(try await service.send(.get, "/v1/jobs/\(id)/\(result)").status == 409, "\(result)")
            }
            #expect(try await service.send(.get, "/v1/jobs/\(id)/metrics").status == 200)
            for result in ["samples", "model", "labels", "metrics", "events"] {
                #expect(
                    try await service.send(.get, "/v1/jobs/job_none/\(result)").status == 404, "\(result)")
            }
        }
    }

    @Test func thePurifiedModelAndTheLabelsAreDownloads() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.purification)
            let model = try await service.send(.get, "/v1/jobs/\(id)/model")
            #expect(model.status == 200)
            #expect(model.text == "PURIFIED")
            #expect(model.headers[.reprDigest] != nil)
            let labels = try await service.send(.get, "/v1/jobs/\(id)/labels").text
                .components(separatedBy: "\r\n")
            #expect(labels[0] == "index,name,given_label,restored_label,flagged,label_confidence")
            #expect(labels[1] == "0,0/0.png,0,2,true,")
            #expect(labels.count == 252)
            let metrics = try await service.send(.get, "/v1/jobs/\(id)/metrics")
            let phases: [[String: Any]] = try #require(try metrics.value("phases"))
            #expect(
                phases.compactMap { $0["phase"] as? String } == [
                    "boundary_analysis", "detection", "refinement",
                ])
            let points: [[String: Any]] = try #require(try metrics.value("items"))
            #expect(points.first?["value"] as? Double == 12.5)
        }
    }

    @Test func aScanHasNoModel() async throws {
        try await withHarness { service in
            let scan = try await service.finishedJob("scan", script: Script.scan)
            let refused = try await service.send(.get, "/v1/jobs/\(scan)/model")
            #expect(refused.status == 404)
            #expect(try refused.value("code") == "scan-has-no-model")
            let job = try await service.send(.get, "/v1/jobs/\(scan)")
            #expect(try job.value("model_changed", as: Bool.self) == nil)
        }
    }

    @Test func whereNothingHadToBePurifiedTheModelIsTheUploadedOne() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.untouched)
            let job = try await service.send(.get, "/v1/jobs/\(id)")
            #expect(try job.value("model_changed") == false)
            let model = try await service.send(.get, "/v1/jobs/\(id)/model")
            #expect(model.status == 200)
            #expect(model.text == Script.untouched)
            let changed = try await service.finishedJob("purify", script: Script.purification)
            let other = try await service.send(.get, "/v1/jobs/\(changed)")
            #expect(try other.value("model_changed") == true)
            let phases: [[String: Any]] = try #require(try other.value("phases"))
            #expect(phases.map { $0["seconds"] as? Double } == [1.5, 1.5, 1.5])
        }
    }

    @Test func eventsComeInPagesAndAsAStreamThatResumes() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.purification)
            let path = "/v1/jobs/\(id)/events"
            var ids: [Int] = []
            var types: [String] = []
            var query = "?limit=3"
            while true {
                let page = try await service.send(.get, path + query)
                let items: [[String: Any]] = try #require(try page.value("items"))
                ids += items.compactMap { $0["id"] as? Int }
                types += items.compactMap { $0["type"] as? String }
                guard let next: String = try page.value("next_cursor") else { break }
                query = "?limit=3&cursor=\(next)"
            }
            #expect(ids == ids.sorted() && Set(ids).count == ids.count)
            #expect(types.first == "state" && types.last == "state")
            #expect(
                Set(types) == ["state", "phase", "progress", "preliminary", "verdict", "metrics"])
            // Said twice, it is one event; with the verdict, it has had its day.
            let preliminary = try #require(types.firstIndex(of: "preliminary"))
            #expect(types.count { $0 == "preliminary" } == 1)
            #expect(preliminary < (try #require(types.firstIndex(of: "verdict"))))
            let job = try await service.send(.get, "/v1/jobs/\(id)").json
            #expect(job["preliminary"] is NSNull && job["verdict"] is [String: Any])

            func streamed(_ headers: HTTPFields, _ query: String = "") async throws -> [Int] {
                let answer = try await service.send(.get, path + query, headers: headers)
                #expect(answer.status == 200)
                return answer.text.split(separator: "\n").compactMap {
                    $0.hasPrefix("id: ") ? Int($0.dropFirst(4)) : nil
                }
            }
            #expect(try await streamed([.accept: "text/event-stream"]) == ids)
            #expect(try await streamed([:], "?format=sse") == ids)
            let middle = ids[ids.count / 2]
            let rest = try await streamed([.accept: "text/event-stream", .lastEventID: "\(middle)"])
            #expect(rest == ids.filter { $0 > middle })
            let wrong = try await service.send(.get, path, headers: [.lastEventID: "x"])
            #expect(wrong.status == 400)
            #expect(try await service.send(.get, path + "?cursor=-1").status == 400)
        }
    }
}
