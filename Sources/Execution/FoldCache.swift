import Synchronization
import Tensors

/// Merged convolution weights, and the state of the weights that they were made from.
struct FoldCache: Sendable {
    var stamp: [Int] = []
    var merged: [(weight: Tensor, bias: Tensor)] = []
}

extension GraphModel {
    /// The merged weights of `plan.folds`, made anew when a weight has been written or a training pass has run.
    func foldedWeights(_ plan: ExecutionPlan) throws -> [(weight: Tensor, bias: Tensor)] {
        guard !plan.folds.isEmpty else { return [] }
        let byValue = Dictionary(weights.map { ($0.value, $0.detached) }) { first, _ in first }
        let stamp = [trainingPasses.load(ordering: .relaxed)] + weights.map(\.detached.version)
        return try foldCache.withLock { cache in
            if cache.stamp == stamp { return cache.merged }
            let merged = try plan.folds.map { fold in
                try fold.merge { value in
                    guard let tensor = byValue[value] else {
                        throw TensorError(
                            .failed, operatorName: "batch norm folding", message: "no weight \(value)")
                    }
                    return tensor
                }
            }
            cache = FoldCache(stamp: stamp, merged: merged)
            return merged
        }
    }
}
