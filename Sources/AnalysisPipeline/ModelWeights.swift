import Execution
import Foundation
import Graph
import ModelFormats
import Support
import Tensors

/// Weights between the executor and model files.
public enum ModelWeights {
    /// Writes `model`'s weights into a copy of `file`; with nil, a byte-identical copy.
    public static func write(_ model: GraphModel?, from file: ModelFile, to path: String) throws {
        let tensors = Dictionary(
            (model?.namedWeights ?? []).map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        let known = Set(file.weights.map(\.name))
        var replacements: [String: ModelFile.WeightBytes] = [:]
        for (name, tensor) in tensors where known.contains(name) {
            replacements[name] = { try tensor.detach().contiguous().bytes() }
        }
        try? FileManager.default.removeItem(atPath: path)
        try file.write(replacing: replacements, to: path)
    }

    /// The model of a checkpoint that was written from `original`, or nil when there is none.
    static func read(_ path: String, of original: ModelFile, like model: GraphModel) throws -> GraphModel? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let file = try original.copy(at: path)
        let copy = try model.copy()
        var tensors: [String: Tensor] = [:]
        for weight in file.weights {
            tensors[weight.name] = try file.readWeight(weight).withUnsafeBytes {
                try Tensor(bytes: $0, type: weight.type, shape: weight.shape)
            }
        }
        try copy.load(tensors)
        return copy
    }
}
