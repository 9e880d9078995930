import Foundation
import HTTPServer
import Testing

@Suite struct EvidenceRouteTests {
    @Test func theEvidenceIsTheSamplesInNumbers() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let answer = try await service.send(.get, "/v1/jobs/\(id)/evidence")
            #expect(answer.status == 200)
            let edges: [Double] = try #require(try answer.value("distance_histograms", "edges"))
            #expect(edges.count == 41 && edges == edges.sorted() && edges[0] == 0)
            #expect(abs((edges.last ?? 0) - 6.0 / 7) < 1e-12)
            let classes: [[String: Any]] = try #require(
                try answer.value("distance_histograms", "classes"))
            // The fixtures: all are predicted as 0, every tenth is flagged, distances are i mod 7 sevenths.
            try #require(classes.count == 1)
            let flagged = try #require(classes[0]["flagged"] as? [Int])
            let unflagged = try #require(classes[0]["unflagged"] as? [Int])
            var expected = (
                flagged: [Int](repeating: 0, count: 40), unflagged: [Int](repeating: 0, count: 40)
            )
            for index in 0..<250 {
                let distance = Double(index % 7) / 7
                let bin = min(39, Int(distance / edges[1]))
                if index % 10 == 0 { expected.flagged[bin] += 1 } else { expected.unflagged[bin] += 1 }
            }
            #expect(flagged == expected.flagged && unflagged == expected.unflagged)
            let matrix: [[String: Any]] = try #require(try answer.value("label_matrix"))
            #expect(matrix.compactMap { $0["count"] as? Int }.reduce(0, +) == 25)
            #expect(matrix.allSatisfy { $0["restored"] as? Int == 2 })
            let spread: [[String: Any]] = try #require(try answer.value("adversarial_labels"))
            #expect(spread.compactMap { $0["count"] as? Int } == [225, 25])
            #expect(spread.compactMap { $0["flagged"] as? Bool } == [false, true])
        }
    }

    @Test func oneSampleHasAnAddress() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let sample = try await service.send(.get, "/v1/jobs/\(id)/samples/7")
            #expect(sample.status == 200)
            #expect(try sample.value("index") == 7)
            #expect(try sample.json["review"] is NSNull)
            for index in ["250", "-1", "07", "x", "99999999999999999999", "2147483648"] {
                #expect(
                    try await service.send(.get, "/v1/jobs/\(id)/samples/\(index)").status == 404, "\(index)")
            }
            #expect(try await service.send(.get, "/v1/jobs/\(id)/samples/7?view=x").status == 400)
            #expect(try await service.send(.get, "/v1/jobs/job_none/samples/7").status == 404)
        }
    }

    @Test func samplesAreFilteredByEveryLabel() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            func count(_ query: String) async throws -> Int {
                let page = try await service.send(.get, "/v1/jobs/\(id)/samples?limit=1000&\(query)")
                try #require(page.status == 200, "\(page.text)")
                let items: [[String: Any]] = try #require(try page.value("items"))
                return items.count
            }
            #expect(try await count("predicted=0") == 250)
            #expect(try await count("predicted=1") == 0)
            #expect(try await count("restored=2&flagged=true") == 25)
            #expect(try await count("reviewed=true") == 0)
            let body = #"{"items": [{"index": 3, "decision": "accept"}, {"index": 9, "decision": "reject"}]}"#
            _ = try await service.send(.put, "/v1/jobs/\(id)/reviews", body: Data(body.utf8))
            #expect(try await count("reviewed=true") == 2)
            #expect(try await count("reviewed=false") == 248)
            var labels: [Int] = []
            var cursor = ""
            repeat {
                let page = try await service.send(
                    .get, "/v1/jobs/\(id)/samples?sort=-given_label&limit=70\(cursor)")
                let items: [[String: Any]] = try #require(try page.value("items"))
                labels += items.compactMap { $0["given_label"] as? Int }
                let next: String? = try page.value("next_cursor")
                cursor = next.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(labels.count == 250 && labels == labels.sorted(by: >))
            let lines = try await service.send(.get, "/v1/jobs/\(id)/samples?format=ndjson&reviewed=true")
            #expect(lines.text.contains(#""review":{"decision":"accept","label":null}"#))
        }
    }

    @Test func curvesKeepEveryPointOnce() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let answer = try await service.send(.get, "/v1/jobs/\(id)/curves")
            let items: [[String: Any]] = try #require(try answer.value("items"))
            try #require(items.count == 1)
            #expect(items[0]["phase"] as? String == "decoupling" && items[0]["name"] as? String == "loss")
            let points = try #require(items[0]["points"] as? [[Double]])
            let expected: [[Double]] = [[0, 1], [1, 0.5], [2, 1.0 / 3], [3, 0.25], [4, 0.2]]
            #expect(points == expected)
            // The worker gave all of them twice; each is one event.
            let events = try await service.send(.get, "/v1/jobs/\(id)/events?limit=1000").text
            #expect(events.components(separatedBy: #""type":"curve""#).count == 6)
        }
    }

    @Test func theAssessmentComparesClassByClass() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let answer = try await service.send(.get, "/v1/jobs/\(id)/assessment")
            #expect(answer.status == 200)
            #expect(try answer.json["evaluation"] is NSNull)
            #expect(try answer.value("holdout", "samples") == 3)
            #expect(try answer.value("holdout", "confusion_before") == [[1, 1], [0, 1]])
            #expect(try answer.value("holdout", "confusion_after") == [[2, 0], [0, 1]])
            let classes: [[String: Any]] = try #require(try answer.value("holdout", "classes"))
            #expect(classes.map { $0["acc_before"] as? Double } == [0.5, 1])
            #expect(classes.map { $0["acc_after"] as? Double } == [1, 1])
            // Every tenth is flagged; of those, a third has the label already that is restored.
            let changed: Int = try #require(try answer.value("labels_changed"))
            #expect(changed == (0..<250).count { $0 % 10 == 0 && $0 % 3 != 2 })
        }
    }

    @Test func whatIsNotThereYetIsAConflict() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let id: String = try #require(
                try await service.submit("purify", model: model, dataset: dataset).value("id"))
            for path in [
                "evidence", "assessment", "triggers", "triggers/0/image", "samples/0", "samples/0/image",
                "samples/0/thumbnail",
            ] {
                #expect(try await service.send(.get, "/v1/jobs/\(id)/\(path)").status == 409, "\(path)")
                #expect(try await service.send(.get, "/v1/jobs/job_none/\(path)").status == 404, "\(path)")
                #expect(try await service.send(.get, "/v1/jobs/\(id)/\(path)?x=1").status == 400, "\(path)")
            }
            #expect(try await service.send(.get, "/v1/jobs/\(id)/curves").text == #"{"items":[]}"#)
        }
    }
}
