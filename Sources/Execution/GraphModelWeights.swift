import Graph
import Support
import Tensors

extension GraphModel {
    /// Parameters, buffers and constants by their names in the state dict, without gradients; they share
    /// memory with the model. `tensor.bytes()` gives the row-major bytes to write back.
    public var namedWeights: [(name: String, tensor: Tensor)] {
        weights.map { ($0.name, $0.detached) }
    }

    /// Whether all weights and buffers are the same, to the bit.
    package func hasWeights(of other: GraphModel) throws -> Bool {
        let (own, others) = (namedWeights, other.namedWeights)
        return try own.count == others.count
            && zip(own, others).allSatisfy { own, other in
                try own.name == other.name
                    && own.tensor.contiguous().bytes() == other.tensor.contiguous().bytes()
            }
    }

    /// The names of `parameters`, in the same order.
    public var parameterNames: [String] {
        weights.filter(\.tensor.requiresGradient).map(\.name)
    }

    /// Takes over the values of another model of the same architecture.
    public func load(from other: GraphModel) throws {
        try load(Dictionary(other.namedWeights.map { ($0.name, $0.tensor) }) { first, _ in first })
    }

    /// Takes over values by name; names that are missing keep theirs. Throws, before anything is
    /// written, for an unknown name or another shape.
    public func load(_ values: [String: Tensor]) throws {
        let known = Dictionary(weights.map { ($0.name, $0.detached) }) { first, _ in first }
        for (name, value) in values {
            guard let weight = known[name] else {
                throw Problem(
                    .unprocessable, code: "weight-unknown", title: "The model has no such weight",
                    detail: "'\(name)' is not a weight of this model", location: name,
                    fix: "Export the model again, and compare the file's SHA-256 where it was copied.")
            }
            guard weight.shape == value.shape else {
                throw Problem(
                    .unprocessable, code: "weight-shape", title: "A weight has the wrong shape",
                    detail: "expected \(weight.shape), found \(value.shape)", location: name,
                    fix: "Export the model again, and compare the file's SHA-256 where it was copied.")
            }
        }
        try noGrad {
            for (name, value) in values { try known[name]?.copyInPlace(value.detach()) }
        }
        trainingPasses.add(1, ordering: .relaxed)
    }
}
