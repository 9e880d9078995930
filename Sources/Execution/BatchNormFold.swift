import Graph
import Tensors

/// A batch norm with fixed statistics is one more linear map per channel; it is merged into the weights of the
/// convolution before it:
///
///     weight' = weight * scale / sqrt(variance + epsilon)
///     bias'   = (bias - mean) * scale / sqrt(variance + epsilon) + shift
struct BatchNormFold: Sendable {
    var weight: Graph.ValueID
    var bias: Graph.ValueID?
    var scale: Graph.ValueID?
    var shift: Graph.ValueID?
    var mean: Graph.ValueID
    var variance: Graph.ValueID
    var epsilon: Double
    var foldedWeight: Graph.ValueID
    var foldedBias: Graph.ValueID

    var inputs: [Graph.ValueID] { [weight, mean, variance] + [bias, scale, shift].compactMap { $0 } }

    /// The two merged tensors, computed in double precision.
    func merge(_ tensor: (Graph.ValueID) throws -> Tensor) throws -> (weight: Tensor, bias: Tensor) {
        try noGrad {
            let original = try tensor(weight)
            var factor = try (tensor(variance).to(.float64) + epsilon).rsqrt()
            if let scale { factor = try factor * tensor(scale).to(.float64) }
            var offset = try -tensor(mean).to(.float64)
            if let bias { offset = try offset + tensor(bias).to(.float64) }
            offset = try offset * factor
            if let shift { offset = try offset + tensor(shift).to(.float64) }
            let scaled = try original.to(.float64) * factor.perSample(rank: original.rank)
            let merged = try original.emptyLike()
            try merged.copyInPlace(scaled)
            return (merged, try offset.to(original.type))
        }
    }
}
