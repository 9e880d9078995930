import Execution
import Support
import Tensors

/// What a model says of the samples of a set: their class probabilities. Those of a set that is not large are kept; of a larger one
/// they are asked for when they are needed, so that neither memory nor passes grow with it.
package struct ModelAnswers: Sendable {
    private let model: GraphModel
    private let images: LabelledImages
    private let token: CancellationToken?
    /// (N, classes); nil where they are not kept.
    private let kept: Tensor?

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
        kept = isKept ? try model.probabilities(images, Array(0..<images.count), token: token) : nil
    }

    /// (samples.count, classes)
    func probabilities(_ samples: [Int]) throws -> Tensor {
        try kept?.rows(samples) ?? model.probabilities(images, samples, token: token)
    }
}
