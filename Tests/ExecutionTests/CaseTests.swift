import Execution
import Foundation
import ModelFormats
import Tensors
import Testing

/// Exported models, where they are at hand: in `BURN_CASES`, or shared/cases beside the package.
@Suite struct CaseTests {
    struct Expected: Decodable {
        var logits: [Float]
        var gradientNorm: Double
    }

    static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    static var folder: URL? {
        let named = ProcessInfo.processInfo.environment["BURN_CASES"].map { URL(filePath: $0) }
        let package = tests.deletingLastPathComponent()
        let beside = ["shared/cases", "../shared/cases"].map { package.appending(path: $0) }
        return ((named.map { [$0] } ?? []) + beside).first {
            FileManager.default.fileExists(atPath: $0.appending(path: "badnets/model.pt2").path)
        }
    }

    static func images() throws -> Tensor {
        let values = (0..<12_288).map { (index: Int) -> Float in Float((index * 37) % 256) / 255 }
        return try Tensor(values, shape: [4, 3, 32, 32])
    }

    /// A folder that a script of Tests/Fixtures has written.
    static func fixture(_ name: String, _ arguments: [String] = []) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "burn-\(name)-\(UUID().uuidString)")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            [
                ProcessInfo.processInfo.environment["BURN_PYTHON"] ?? "python3",
                tests.appending(path: "Fixtures/\(name).py").path, folder.path,
            ] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return folder
    }

    /// The folder, with what its answers.json holds by name.
    static func answers(of made: Result<URL, any Error>) throws -> (folder: URL, answers: [String: [Float]]) {
        let folder = try made.get()
        let data = try Data(contentsOf: folder.appending(path: "answers.json"))
        return (folder, try JSONDecoder().decode([String: [Float]].self, from: data))
    }

    static func model(_ file: ModelFile) throws -> GraphModel {
        try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
    }

    @Test(.enabled(if: folder != nil, "no case models: set BURN_CASES"))
    func exportedModelsGivePyTorchsLogitsAndGradients() throws {
        let folder = try #require(Self.folder)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let cases = try decoder.decode(
            [String: Expected].self,
            from: Data(contentsOf: Self.tests.appending(path: "Fixtures/cases.json")))
        #expect(!cases.isEmpty)
        for (name, expected) in cases {
            let path = folder.appending(path: "\(name)/model.pt2").path
            let model = try Self.model(openModel(at: path))
            let (logits, gradient) = try model.inputGradient(Self.images()) { try $0.logSumExp([1]).sum() }
            #expect(try distance(logits, Tensor(expected.logits, shape: [4, 10])) < 1e-3, "\(name)")
            let norm: Double = try gradient.norm().item()
            #expect(abs(norm - expected.gradientNorm) < 1e-3 * expected.gradientNorm, "\(name)")
            let plain = try model.forward(Self.images(), mode: .inference)
            #expect(try distance(plain, logits) < 1e-4, "\(name)")
        }
    }

    /// The same weights in two formats.
    @Test(
        .enabled(if: folder != nil, "no case models: set BURN_CASES"),
        arguments: ["badnets", "trojan_wm", "clean"])
    func onnxModelsComputeWhatTheirPT2Does(_ name: String) throws {
        let folder = try #require(Self.folder).appending(path: name)
        let models = try ["model.pt2", "model.onnx"].map {
            try Self.model(openModel(at: folder.appending(path: $0).path))
        }
        let images = try Self.images()
        for mode in [GraphModel.Mode.inference, .evaluationWithGradient] {
            let logits = try models.map { try $0.forward(images, mode: mode).detach() }
            #expect(try distance(logits[0], logits[1]) < 1e-4)
        }
        #expect(models[0].parameters.count == models[1].parameters.count)
        // Batch norm is kept, and trains.
        let statistics = try #require(models[1].namedWeights.first { $0.name.hasSuffix("running_mean") })
            .tensor.clone()
        _ = try models[1].forward(images, mode: .training)
        let trained = try #require(models[1].namedWeights.first { $0.name.hasSuffix("running_mean") }).tensor
        #expect(try distance(statistics, trained) > 1e-4)
    }

    @Test(.enabled(if: folder != nil, "no case models: set BURN_CASES"))
    func changedWeightsSurviveTheFile() throws {
        let path = try #require(Self.folder).appending(path: "clean/model.pt2").path
        let file = try openModel(at: path)
        let model = try Self.model(file)
        try noGrad {
            for parameter in model.parameters { try parameter.multiplyInPlace(1.01) }
        }
        let target = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pt2")
        defer { try? FileManager.default.removeItem(at: target) }
        let changed = Dictionary(
            uniqueKeysWithValues: model.namedWeights.map { name, tensor in (name, { try tensor.bytes() }) })
        try file.write(replacing: changed, to: target.path)
        let again = try Self.model(openModel(at: target.path))
        let images = try Self.images()
        #expect(
            try distance(
                again.forward(images, mode: .inference), model.forward(images, mode: .inference)) == 0)
    }
}
