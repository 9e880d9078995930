import Foundation
import Testing

/// Weights alone over HTTP, with the real worker.
@Suite(.enabled(if: RealCase.isAtHand, Comment(rawValue: RealCase.missing)))
struct WeightsAloneTests {
    @Test func safetensorsAreReadIntoTheGraphOfAnUploadedModel() throws {
        let folder = try #require(RealCase.shared).appending(path: "cases/badnets")
        let service = try ServiceProcess()
        let weights = try Data(contentsOf: folder.appending(path: "model.safetensors"))
        let refused = try service.post("/v1/models?name=model.safetensors", body: weights)
        #expect(refused.status == 422)
        #expect(try refused.json["code"] as? String == "weights-need-skeleton")

        let whole = try service.upload(
            Data(contentsOf: folder.appending(path: "model.pt2")), to: "models", name: "model.pt2")
        let created = try service.post(
            "/v1/models?name=model.safetensors&skeleton=\(whole)", "Prefer: wait=60", body: weights)
        #expect(created.status == 201, "\(created.text)")
        let record = try created.json
        #expect(record["state"] as? String == "ready", "\(record)")
        let summary = try #require(record["summary"] as? [String: Any])
        #expect(summary["format"] as? String == "safetensors")
        #expect(summary["classes"] as? Int == 10)
        #expect(try service.get("/v1/models/\(created.id)/content").body == weights)

        // The weights of another graph are refused by name.
        let wrong = try service.post("/v1/models?architecture=resnet18", body: weights)
        #expect(wrong.status == 422)
        #expect(try wrong.json["code"] as? String == "weights-do-not-match")
    }
}
