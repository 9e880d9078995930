import Execution
import Findings
import Foundation
import ModelFormats
import Support
import Tensors
import Testing

/// ONNX models of half precision and of whole numbers, against onnx's own reference.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BURN_PYTHON"] != nil, "no PyTorch: set BURN_PYTHON"))
struct ONNXPrecisionTests {
    private static let made = Result { try CaseTests.fixture("onnx_precision") }

    private let folder: URL
    private let answers: [String: [Float]]

    init() throws { (folder, answers) = try CaseTests.answers(of: Self.made) }

    private func open(_ name: String) throws -> ModelFile {
        try openModel(at: folder.appending(path: name + ".onnx").path)
    }

    @Test(arguments: [
        // What is computed in single precision, or not rounded to a step, is that much off.
        ("half", 5e-3), ("half-inside", 5e-3), ("qdq-weights", 1e-5), ("qdq", 1e-2), ("qdq-aware", 1e-2),
    ])
    func theLogitsAreTheReferences(name: String, limit: Double) throws {
        let file = try open(name)
        let images = try Tensor(#require(answers["images"]), shape: [4, 3, 8, 8])
        let expected = try Tensor(#require(answers[name]), shape: [4, 5])
        let (logits, gradient) = try CaseTests.model(file).inputGradient(images) {
            try $0.logSumExp([1]).sum()
        }
        let off = try distance(logits, expected)
        #expect(off < limit, "\(name): \(off)")
        let norm: Double = try gradient.norm().item()
        #expect(norm > 0)
        #expect(file.summary.inputType == (name == "half" ? "float16" : "float32"))
        let said = [
            "qdq-weights": "3 weights are kept as whole numbers", "qdq": "not rounded",
            "qdq-aware": "not rounded",
        ][name]
        #expect(file.summary.conversion?.contains(said ?? "computed in float32") == true)
        #expect(Set(file.weights.map(\.type)) == [.float32])
    }

    @Test(arguments: ["half", "qdq"]) func newWeightsAreWrittenInTheFilesOwnForm(name: String) throws {
        let file = try open(name)
        let kernel = try #require(file.weights.first { $0.shape == [6, 3, 3, 3] })
        let old = try file.readWeight(kernel).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let new = old.map { $0 * 0.5 }
        let copy = folder.appending(path: "\(name)-\(UUID().uuidString).onnx").path
        try file.write(replacing: [kernel.name: { new.withUnsafeBytes { Array($0) } }], to: copy)
        let again = try file.copy(at: copy)
        #expect(again.weights == file.weights)
        let read = try again.readWeight(kernel).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        // Half a step of a scale that is a 127th of the largest; or the last bit of half precision.
        let most = (old.map(abs).max() ?? 0) / 127 / 2 * 1.001
        #expect(zip(read, new).allSatisfy { abs($0 - $1) <= most })
        #expect(read != old)
        // Unchanged weights are unchanged bytes.
        try file.write(replacing: [kernel.name: { old.withUnsafeBytes { Array($0) } }], to: copy)
        #expect(FileManager.default.contentsEqual(atPath: copy, andPath: file.path))
    }

    @Test(arguments: [("qdq-other-scale", "another one"), ("integers", "DynamicQuantizeLinear")])
    func otherWholeNumbersAreRefusedWithWhatToDo(name: String, words: String) {
        let problem = #expect(throws: Problem.self) { try open(name) }
        #expect(problem?.code == "onnx-operator" && problem?.detail.contains(words) == true, "\(problem!)")
        #expect(problem?.fix?.contains("quant_format=QuantFormat.QDQ") == true)
    }
}
