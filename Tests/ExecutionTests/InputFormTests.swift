import Execution
import Findings
import Foundation
import ModelFormats
import Support
import Tensors
import Testing

/// Bytes, channels behind the sides, half precision, several outputs: as PyTorch computes them.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BURN_PYTHON"] != nil, "no PyTorch: set BURN_PYTHON"))
struct InputFormTests {
    private static let made = Result { try CaseTests.fixture("input_forms") }

    private let folder: URL
    private let answers: [String: [Float]]

    init() throws { (folder, answers) = try CaseTests.answers(of: Self.made) }

    private func open(_ name: String, output: String? = nil) throws -> ModelFile {
        try openModel(at: folder.appending(path: name).path, skeleton: output.map { .output($0) })
    }

    private func refusal(_ name: String, output: String? = nil) -> Problem? {
        #expect(throws: Problem.self) { try open(name, output: output) }
    }

    private func requireLogits(_ file: ModelFile, of name: String, within limit: Double = 1e-4) throws {
        let model = try CaseTests.model(file)
        let images = try Tensor(#require(answers["images"]), shape: [4, 3, 8, 8])
        let expected = try Tensor(#require(answers[name]), shape: [4, 5])
        let (logits, gradient) = try model.inputGradient(images) { try $0.logSumExp([1]).sum() }
        #expect(try distance(logits, expected) < limit, "\(file.path)")
        #expect(gradient.shape == [4, 3, 8, 8])
        let norm: Double = try gradient.norm().item()
        #expect(norm > 0)
        #expect(file.graph.imageShape == [nil, 3, 8, 8])
    }

    @Test(
        "Images of other forms are read where their meaning is plain",
        arguments: ["bytes", "divided", "last", "bytes-last", "spatial"])
    func forms(name: String) throws {
        try requireLogits(open(name + ".pt2"), of: name)
        // In ONNX, a division of bytes has no fraction: the exporter writes a Cast before it.
        try requireLogits(open(name + ".onnx"), of: name)
    }

    @Test func halfPrecisionIsComputedInSingle() throws {
        try requireLogits(open("half-input.pt2"), of: "half-input", within: 1e-2)
        let file = try open("half.pt2")
        try requireLogits(file, of: "half", within: 1e-3)
        #expect(file.summary.inputType == "float16")
        // What is written keeps the file's own type.
        let copy = folder.appending(path: "half-\(UUID().uuidString).pt2").path
        let bias = try #require(file.weights.first { $0.name == "fc.bias" })
        let values: [Float] = [1, 2, 3, 4, 5]
        try file.write(replacing: ["fc.bias": { values.withUnsafeBytes { Array($0) } }], to: copy)
        let again = try file.copy(at: copy)
        #expect(try again.readWeight(bias) == values.withUnsafeBytes { Array($0) })
        #expect(again.weights == file.weights)
    }

    @Test(
        "Wholes that are computed with before they are converted are refused with the export line",
        arguments: ["integers.pt2", "integers.onnx"])
    func integers(name: String) {
        let problem = refusal(name)
        #expect(["model-input", "onnx-input"].contains(problem?.code))
        #expect(problem?.fix?.contains("float") == true)
    }

    @Test(
        "An argmax at the end is named",
        arguments: ["argmax.pt2", "argmax.onnx", "argmax-float.pt2", "argmax-float.onnx"])
    func argmax(name: String) {
        let problem = refusal(name)
        #expect(problem?.code == "model-output")
        #expect(problem?.detail.contains("argmax") == true, "\(problem?.detail ?? "")")
        #expect(problem?.fix?.contains("logits") == true)
    }

    @Test("Of several outputs, the one that is called logits, or that the option names")
    func outputs() throws {
        let named = try open("named.pt2")
        #expect(named.summary.output == "logits")
        try requireLogits(named, of: "named")
        for name in ["two.pt2", "two.onnx"] {
            let asked = refusal(name)
            #expect(asked?.code == "model-output")
            #expect(asked?.detail.contains("2 of them may be the logits: 0 ") == true)
            #expect(asked?.fix?.contains("--model-output") == true)
            let chosen = try open(name, output: "1")
            try requireLogits(chosen, of: "two")
            #expect(try chosen.copy(at: chosen.path).graph == chosen.graph)
            #expect(refusal(name, output: "2")?.code == "model-output")
            #expect(refusal(name, output: "probabilities")?.detail.contains("“probabilities”") == true)
        }
        let features = try open("named.pt2", output: "features")
        #expect(features.summary.classes == 7)
    }
}
