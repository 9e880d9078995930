import Execution
import Support
import Synchronization
import Tensors

/// What a model says of the samples of a set: their class probabilities, once they are asked for. Those of a set that is not large
/// are kept, so that no sample is asked about twice; of a larger one none is, so that memory does not grow with it.
package final class ModelAnswers: Sendable {
    let model: GraphModel
    private let images: LabelledImages
    private let token: CancellationToken?
    private let most: Int
    private let isKept: Bool
    /// Empty where they are not kept.
    private let kept: Mutex<Kept>

    private struct Kept {
        /// (N, classes), as far as they are known.
        let rows: Tensor
        var isKnown: [Bool]
    }

    /// About as many as a fine-tuning draws.
    private static let mostSamples = 32_768
    /// 128 MiB.
    private static let mostValues = 1 << 25
    private static let mostValuesOfOther = 1 << 22

    /// - Parameter most: samples that answers are kept of.
    package init(
        of model: GraphModel, on images: LabelledImages, token: CancellationToken? = nil,
        most: Int = mostSamples
    ) throws {
        (self.model, self.images, self.token, self.most) = (model, images, token, most)
        isKept = images.count <= min(most, Self.mostValues / images.classes)
        let count = isKept ? images.count : 0
        kept = Mutex(
            Kept(
                rows: try Tensor.zeros([count, images.classes]),
                isKnown: Array(repeating: false, count: count)))
    }

    /// The same of another model, of which less is asked: the answers take no more than 16 MiB.
    func asked(of other: GraphModel) throws -> ModelAnswers {
        try ModelAnswers(
            of: other, on: images, token: token, most: min(most, Self.mostValuesOfOther / images.classes))
    }

    /// Asks for all at once what is kept: numbers then don't depend on who asked first.
    package func askAll() throws {
        guard isKept else { return }
        _ = try probabilities(Array(0..<images.count))
    }

    /// The likeliest class of each sample.
    func predictions(_ samples: [Int]) throws -> [Int] {
        guard !samples.isEmpty else { return [] }
        guard isKept else { return try model.predictions(images, samples, token: token) }
        return try probabilities(samples).argmax(1).array()
    }

    /// (samples.count, classes)
    func probabilities(_ samples: [Int]) throws -> Tensor {
        guard isKept else { return try model.probabilities(images, samples, token: token) }
        return try kept.withLock { kept in
            let new = Set(samples).filter { !kept.isKnown[$0] }.sorted()
            if !new.isEmpty {
                try kept.rows.indexCopyInPlace(
                    0, Tensor(new), model.probabilities(images, new, token: token))
                for sample in new { kept.isKnown[sample] = true }
            }
            return try kept.rows.rows(samples)
        }
    }
}
