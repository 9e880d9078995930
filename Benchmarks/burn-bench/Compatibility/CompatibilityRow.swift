import Execution
import Foundation
import Graph
import ModelFormats
import Support
import Tensors

/// How far the engine's results for one model file are from PyTorch's. Differences are relative: the largest
/// deviation over the largest magnitude for logits and input gradients, for each tensor of a training step the
/// norm of the deviation over the tensor's norm.
///
/// Gradients are compared in double precision. In single precision two correct programs differ by more than any
/// useful bound wherever rounding decides on which side of a ReLU's kink, or to which pixel of a maximum, a value
/// falls; `inputGradient32` shows that.
struct CompatibilityRow: Codable, Sendable {
    var architecture: String
    var library: String
    var format: String
    var forward: Double?
    var inputGradient: Double?
    /// The same in single precision.
    var inputGradient32: Double?
    /// The largest of: the loss, each parameter's gradient, each changed running statistic. Nil where the file
    /// has no batch normalisation any more.
    var trainingStep: Double?
    /// Parameters of PyTorch's training step that were found, by name, and how many there were.
    var comparedParameters: Int?
    var referenceParameters: Int?
    /// Of the logits after every weight was changed, written, and read again.
    var roundTrip: Double?
    /// Why there are no numbers.
    var problem: String?

    static let forwardBound = 1e-5
    static let gradientBound = 1e-4

    /// - Parameter forwardBound: 1e-5 for PyTorch's own formats, 1e-4 for ONNX.
    func isGood(forwardBound: Double = Self.forwardBound) -> Bool {
        guard problem == nil, let forward, let inputGradient, let roundTrip else { return false }
        return forward <= forwardBound && inputGradient <= Self.gradientBound && roundTrip == 0
            && trainingStep ?? 0 <= Self.gradientBound
    }

    /// - Parameter keep: where the file with changed weights goes; its logits go beside it, as `.logits` (float32).
    init(model path: String, format: String, reference: ZooReference, keep: URL? = nil) {
        architecture = reference.name
        library = reference.library
        self.format = format
        do {
            try measure(path, reference, keep)
        } catch let problem as Problem {
            self.problem = [problem.code, problem.detail, problem.location].compactMap { $0 }.joined(
                separator: " | ")
        } catch {
            problem = "\(error)"
        }
    }

    private mutating func measure(_ path: String, _ reference: ZooReference, _ keep: URL?) throws {
        let file = try openModel(
            at: path, skeleton: path.hasSuffix(".safetensors") ? reference.skeleton : nil)
        let model = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
        let images = try reference.tensor("images")
        forward = try distance(
            model.forward(images, mode: .inference), reference.tensor("logits"))
        let exact = try reference.tensor("input_gradient")
        inputGradient32 = try distance(
            model.inputGradient(images) { try $0.logSumExp([1]).sum() }.gradient, exact)
        roundTrip = try roundTrip(file, model, images, keep)
        let precise = try doublePrecision(file)
        let wide = try images.to(.float64)
        inputGradient = try distance(
            precise.inputGradient(wide) { try $0.logSumExp([1]).sum() }.gradient, exact)
        if let loss = reference.loss { try measureTraining(precise, wide, reference, loss: loss) }
    }

    private mutating func measureTraining(
        _ model: GraphModel, _ images: Tensor, _ reference: ZooReference, loss expectedLoss: Double
    ) throws {
        let loss = try model.forward(images, mode: .training).crossEntropy(Tensor(reference.labels))
        let found = try Autograd.gradientsIfUsed(
            of: [loss], weightedBy: [nil], withRespectTo: model.parameters)
        let gradients = Dictionary(zip(model.parameterNames, found)) { first, _ in first }
        let expected = try reference.tensors("gradient/")
        let largest = try expected.values.map { try $0.norm().item(as: Float.self) }.max() ?? 0
        var worst = try abs(Double(loss.detach().item(as: Float.self)) - expectedLoss) / abs(expectedLoss)
        var compared = 0
        for (name, gradient) in expected {
            guard let ours = gradients[name] ?? nil else { continue }
            compared += 1
            // A gradient that is nothing but rounding is compared with the others.
            worst = max(worst, try deviation(ours, gradient, atLeast: Double(largest) * 1e-3))
        }
        let weights = Dictionary(model.namedWeights.map { ($0.name, $0.tensor) }) { first, _ in first }
        let statistics = try reference.tensors("statistics/")
        // An exporter may have merged them into the convolutions: then there is no such step to compare.
        guard statistics.keys.allSatisfy({ weights[$0] != nil }) else { return }
        for (name, statistic) in statistics {
            guard let ours = weights[name] else { continue }
            worst = max(worst, try deviation(ours, statistic, atLeast: 1e-3))
        }
        comparedParameters = compared
        referenceParameters = expected.count
        trainingStep = compared > 0 ? worst : nil
    }

    /// Changes all trained weights, in memory and in a copy of the file.
    private func roundTrip(
        _ file: ModelFile, _ model: GraphModel, _ images: Tensor, _ keep: URL?
    ) throws -> Double {
        try noGrad {
            for parameter in model.parameters { try parameter.multiplyInPlace(1.01) }
        }
        let temporary = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString)")
        let copy = (keep ?? temporary).path
        defer { if keep == nil { try? FileManager.default.removeItem(atPath: copy) } }
        let names = Set(model.parameterNames)
        let changed = model.namedWeights.filter { names.contains($0.name) }
        try file.write(
            replacing: Dictionary(changed.map { name, tensor in (name, { try tensor.bytes() }) }) { a, _ in a
            },
            to: copy)
        let again = try file.copy(at: copy)
        let second = try GraphModel(graph: again.graph, weights: again.weights, read: again.readWeight)
        let logits = try second.forward(images, mode: .inference)
        if let keep {
            try Data(logits.contiguous().bytes()).write(
                to: keep.deletingPathExtension().appendingPathExtension("logits"))
        }
        return try distance(logits, model.forward(images, mode: .inference))
    }
}

/// The model computing in double precision, without dropout.
private func doublePrecision(_ file: ModelFile) throws -> GraphModel {
    var graph = withoutDropout(file.graph)
    graph.imageType = .float64
    var tensors: [String: Tensor] = [:]
    for weight in file.weights {
        let tensor = try file.readWeight(weight).withUnsafeBytes {
            try Tensor(bytes: $0, type: weight.type, shape: weight.shape)
        }
        tensors[weight.name] = weight.type == .float32 ? try tensor.to(.float64) : tensor
    }
    return try GraphModel(graph: graph, tensors: tensors)
}

/// PyTorch's step has no dropout: its masks come from another generator.
private func withoutDropout(_ graph: Graph) -> Graph {
    var graph = graph
    for index in graph.nodes.indices where graph.nodes[index].operatorName.contains("dropout") {
        for position in graph.nodes[index].arguments.indices
        where graph.nodes[index].arguments[position].name == "p" {
            graph.nodes[index].arguments[position].value = .float(0)
        }
    }
    return graph
}

/// The largest deviation over the largest magnitude of `b`.
private func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
    guard a.shape == b.shape else { return .infinity }
    let (a, b) = (try a.detach().to(.float64), try b.detach().to(.float64))
    return try (a - b).abs().amax().item(as: Double.self) / max(b.abs().amax().item(as: Double.self), 1e-30)
}

private func deviation(_ a: Tensor, _ b: Tensor, atLeast floor: Double) throws -> Double {
    guard a.count == b.count else { return .infinity }
    let (a, b) = (try a.detach().to(.float64).reshape(b.shape), try b.detach().to(.float64))
    return try (a - b).norm().item(as: Double.self) / max(b.norm().item(as: Double.self), floor, 1e-30)
}
