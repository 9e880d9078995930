import Execution
import Support
import Synchronization
import Tensors

/// What a model says of the samples of a set: their class probabilities, once they are asked for. Those of a set that is not large
/// are kept, so that no sample is asked about twice; of a larger one none is, so that memory does not grow with it.
package final class ModelAnswers: Sendable {
    private let model: GraphModel
    private let images: LabelledImages
    private let token: CancellationToken?
    /// Nil where they are not kept.
    private let kept: Mutex<Kept?>

    private struct Kept {
        /// (N, classes), as far as they are known.
        let rows: Tensor
        var isKnown: [Bool]
    }

    /// About as many as a fine-tuning draws.
    private static let mostSamples = 32_768
    /// 128 MiB.
    private static let mostValues = 1 << 25

    /// - Parameter most: samples that answers are kept of.
    package init(
        of model: GraphModel, on images: LabelledImages, token: CancellationToken? = nil,
        most: Int = mostSamples
    ) throws {
        (self.model, self.images, self.token) = (model, images, token)
        let isKept = images.count <= min(most, Self.mostValues / images.classes)
        kept = Mutex(
            isKept
                ? Kept(
                    rows: try Tensor.zeros([images.count, images.classes]),
                    isKnown: Array(repeating: false, count: images.count))
                : nil)
    }

    /// (samples.count, classes)
    func probabilities(_ samples: [Int]) throws -> Tensor {
        try kept.withLock { kept in
            guard let known = kept else { return try model.probabilities(images, samples, token: token) }
            let new = Set(samples).filter { !known.isKnown[$0] }.sorted()
            if !new.isEmpty {
                try known.rows.indexCopyInPlace(
                    0, Tensor(new), model.probabilities(images, new, token: token))
                for sample in new { kept?.isKnown[sample] = true }
            }
            return try known.rows.rows(samples)
        }
    }
}
