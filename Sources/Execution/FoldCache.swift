import Graph
import Synchronization
import Tensors

/// What passes make of the weights, and the state of the weights that it was made from.
struct FoldCache: Sendable {
    var stamp: [Int] = []
    /// Weights and biases of convolutions with their batch norm.
    var merged: [(weight: Tensor, bias: Tensor)]?
    /// Weights of products in bfloat16.
    var reduced: [Graph.ValueID: Tensor]?
}

extension GraphModel {
    /// The merged weights of `plan.folds`, made anew when a weight has been written or a training pass has run.
    func foldedWeights(_ plan: ExecutionPlan) throws -> [(weight: Tensor, bias: Tensor)] {
        guard !plan.folds.isEmpty else { return [] }
        return try withFoldCache { try merged(plan, &$0) }
    }

    /// The weights of `plan.productWeights` in bfloat16, made anew likewise.
    func reducedWeights(_ plan: ExecutionPlan) throws -> [Graph.ValueID: Tensor] {
        guard !plan.productWeights.isEmpty else { return [:] }
        return try withFoldCache { cache in
            if let reduced = cache.reduced { return reduced }
            var full = weightsByValue
            for (fold, merged) in zip(plan.folds, try merged(plan, &cache)) {
                full[fold.foldedWeight] = merged.weight
                full[fold.foldedBias] = merged.bias
            }
            let reduced = try noGrad {
                try full.filter { plan.productWeights.contains($0.key) && $0.value.type == .float32 }
                    .mapValues { try $0.to(.bfloat16) }
            }
            cache.reduced = reduced
            return reduced
        }
    }

    private var weightsByValue: [Graph.ValueID: Tensor] {
        Dictionary(weights.map { ($0.value, $0.detached) }) { first, _ in first }
    }

    private func withFoldCache<Result>(_ body: (inout FoldCache) throws -> Result) throws -> Result {
        let stamp = [trainingPasses.load(ordering: .relaxed)] + weights.map(\.detached.version)
        return try foldCache.withLock { cache in
            if cache.stamp != stamp { cache = FoldCache(stamp: stamp) }
            return try body(&cache)
        }
    }

    private func merged(
        _ plan: ExecutionPlan, _ cache: inout FoldCache
    ) throws -> [(weight: Tensor, bias: Tensor)] {
        if let merged = cache.merged { return merged }
        let byValue = weightsByValue
        let merged = try plan.folds.map { fold in
            try fold.merge { value in
                guard let tensor = byValue[value] else {
                    throw TensorError(
                        .failed, operatorName: "batch norm folding", message: "no weight \(value)")
                }
                return tensor
            }
        }
        cache.merged = merged
        return merged
    }
}
