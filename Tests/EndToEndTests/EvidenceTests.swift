import Foundation
import Testing

/// What people look at and decide, over HTTP, with the real worker on a real backdoored model.
@Suite(.enabled(if: RealCase.isAtHand, Comment(rawValue: RealCase.missing)), .serialized)
struct EvidenceTests {
    @Test func whatIsLookedAtIsDecidedAndGoneBy() throws {
        let real = try RealCase.badNets(train: 1_500, test: 300)
        let service = try ServiceProcess()
        let inputs: [String: Any] = [
            "model": try service.upload(Data(contentsOf: real.model), to: "models", name: "vgg.pt2"),
            "dataset": try service.upload(real.archive("train"), to: "datasets", name: "train.tar"),
            "options": ["rounds": 0],
        ]
        let scan = try service.submit(inputs.merging(["type": "scan"]) { $1 })
        #expect(try service.ended(scan)["state"] as? String == "succeeded")
        let path = "/v1/jobs/\(scan)"

        let evidence = try service.get(path + "/evidence").json
        let spread = try #require(evidence["adversarial_labels"] as? [[String: Any]])
        // All of the class under suspicion, and some of the others.
        let told = spread.compactMap { $0["count"] as? Int }.reduce(0, +)
        #expect((500...1_000).contains(told), "\(told)")
        #expect((evidence["class_names"] as? [String])?[8] == "ship")

        let flagged = try #require(
            try service.get(path + "/samples?flagged=true&sort=-score&limit=10").json["items"]
                as? [[String: Any]])
        let calm = try #require(
            try service.get(path + "/samples?flagged=false&sort=score&limit=10").json["items"]
                as? [[String: Any]])
        try #require(flagged.count == 10 && calm.count == 10)
        let index = try #require(flagged[0]["index"] as? Int)
        let thumbnail = try service.get("\(path)/samples/\(index)/thumbnail")
        #expect(thumbnail.status == 200 && thumbnail.body.starts(with: [0xff, 0xd8]))
        #expect(thumbnail.body.count < 4_096)
        for view in ["original", "perturbation", "adversarial"] {
            let image = try service.get("\(path)/samples/\(index)/image?view=\(view)")
            #expect(image.status == 200, "\(image.text)")
            #expect(image.body.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        }
        let triggers = try #require(
            try service.get(path + "/triggers").json["items"] as? [[String: Any]])
        let trigger = try #require(triggers.first { $0["label"] as? Int == 8 })
        #expect(trigger["effect"] as? Double ?? 0 > 0.5)
        for view in ["direction", "clean", "stamped"] {
            let address = try #require((trigger["images"] as? [String: Any])?[view] as? String)
            #expect(try service.get(address).body.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        }

        // Against the analysis: one is clean, one has another label, one is poisoned.
        func number(_ sample: [String: Any]) -> Int { sample["index"] as? Int ?? -1 }
        let (rejected, relabelled, accepted) = (number(flagged[0]), number(flagged[1]), number(calm[0]))
        let reviews: [[String: Any]] = [
            ["index": rejected, "decision": "reject"],
            ["index": relabelled, "decision": "relabel", "label": 3],
            ["index": accepted, "decision": "accept"],
        ]
        let put = try service.send(
            "PUT", path + "/reviews", ["Content-Type: application/json"],
            body: JSONSerialization.data(withJSONObject: ["items": reviews]))
        #expect(put.status == 200, "\(put.text)")
        let purified = try service.submit(
            inputs.merging(["type": "purify", "reviews_of": scan]) { $1 })
        #expect(try service.ended(purified)["state"] as? String == "succeeded")
        func sample(_ index: Int) throws -> [String: Any] {
            try service.get("/v1/jobs/\(purified)/samples/\(index)").json
        }
        #expect(try sample(rejected)["flagged"] as? Bool == false)
        #expect(try sample(relabelled)["restored_label"] as? Int == 3)
        #expect(try sample(accepted)["flagged"] as? Bool == true)
        let rows = try service.get("/v1/jobs/\(purified)/labels").text.components(separatedBy: "\r\n")
        #expect(rows[relabelled + 1].hasSuffix(",3,1,") && rows[rejected + 1].hasSuffix(",0,"))

        let curves = try #require(
            try service.get("/v1/jobs/\(purified)/curves").json["items"] as? [[String: Any]])
        let names = Set(curves.compactMap { $0["name"] as? String })
        #expect(names == ["loss", "accuracy", "agreement"])
        #expect(curves.allSatisfy { ($0["points"] as? [[Double]])?.count ?? 0 <= 200 })
        let holdout = try #require(
            try service.get("/v1/jobs/\(purified)/assessment").json["holdout"] as? [String: Any])
        let classes = try #require(holdout["classes"] as? [[String: Any]])
        #expect(classes.count == 10)
    }
}
