import Execution
import Foundation
import ModelFormats
import Tensors
import Testing

/// The whole job on a real case, with the bars that a release must clear. Takes minutes.
@Suite(.enabled(if: RealCase.isAtHand, Comment(rawValue: RealCase.missing)))
struct BadNetsTests {
    @Test func aBadNetsModelIsPurifiedOverHTTP() throws {
        let real = try RealCase.badNets(train: 10_000, test: 2_000)
        let service = try ServiceProcess()
        let id = try service.submit([
            "type": "purify",
            "model": service.upload(Data(contentsOf: real.model), to: "models", name: "vgg.pt2"),
            "dataset": service.upload(real.archive("train"), to: "datasets", name: "train.tar"),
            "evaluation": [
                "clean": try service.upload(real.archive("test/clean"), to: "datasets", name: "clean.tar"),
                "triggered": try service.upload(
                    real.archive("test/triggered"), to: "datasets", name: "triggered.tar"),
                "target_class": 8,
            ] as [String: Any],
        ])
        let job = try service.ended(id)
        try #require(job["state"] as? String == "succeeded", "\(job)")
        let verdict = try #require(job["verdict"] as? [String: Any])
        #expect(verdict["result"] as? String == "backdoored")
        #expect(verdict["target_classes"] as? [Int] == [8])
        #expect(job["model_changed"] as? Bool == true)

        let metrics = try #require(job["metrics"] as? [String: [String: Double]])
        let before = try #require(metrics["before"])
        let after = try #require(metrics["after"])
        let acc = try #require(after["acc"])
        #expect(before["asr"] ?? 0 > 0.9, "\(before)")
        #expect(after["asr"] ?? 1 <= 0.01, "\(after)")
        #expect(acc >= (before["acc"] ?? 1) - 0.005, "\(before), \(after)")
        #expect(after["ra"] ?? 0 >= 0.70, "\(after)")

        let rates = try DetectionRates(service.samples(of: id), real.truth)
        #expect(rates.truePositives >= 0.95, "\(rates)")
        #expect(rates.falsePositives <= 0.005, "\(rates)")
        #expect(rates.restored >= 0.75, "\(rates)")
        print("badnets: before \(before), after \(after), \(rates), phases \(job["phases"] ?? "")")

        let model = service.folder.appending(path: "purified.pt2")
        try service.get("/v1/jobs/\(id)/model").body.write(to: model)
        try comparedWithPyTorch(
            model, real.folder.appending(path: "test/clean"), in: service.folder, acc: acc)
    }

    /// PyTorch loads the purified model, has the reported accuracy on the clean test images, and our logits.
    private func comparedWithPyTorch(_ model: URL, _ images: URL, in folder: URL, acc: Double) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/purified.py").standardizedFileURL.path
        let printed = try RealCase.runPython([script, model.path, images.path, folder.path])
        let theirs = Double(
            String(decoding: printed, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        // The same images in another order: only a tie could be decided otherwise.
        #expect(abs(try #require(theirs) - acc) < 0.0006, "\(acc)")

        func floats(_ name: String) throws -> [Float] {
            try Data(contentsOf: folder.appending(path: name)).withUnsafeBytes {
                Array($0.bindMemory(to: Float.self))
            }
        }
        let file = try openModel(at: model.path)
        let ours = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
            .forward(Tensor(floats("images.f32"), shape: [64, 3, 32, 32]), mode: .inference)
        let logits: [Float] = try ours.array()
        let reference = try floats("logits.f32")
        try #require(logits.count == reference.count)
        let largest = reference.map(abs).max() ?? 0
        let distance = zip(logits, reference).map { abs($0 - $1) }.max() ?? .infinity
        // Single precision: relative to the largest logit where that is above 1.
        #expect(distance <= 1e-5 * max(1, largest), "\(distance), largest logit \(largest)")
    }
}
