import Execution
import Support
import Tensors

/// What a model says of the samples of a set: their class probabilities. They are kept for so many samples that neither memory nor
/// passes grow with the set; a training draws from these.
package struct ModelAnswers: Sendable {
    private let model: GraphModel
    private let images: LabelledImages
    private let token: CancellationToken?
    /// (known samples, classes)
    private var kept: Tensor
    /// Of every sample, its row in `kept`; -1 where that is not known.
    private var row: [Int32]

    /// More than a purification draws.
    private static let mostSamples = 32_768
    /// 128 MiB.
    private static let mostValues = 1 << 25

    /// Of all samples, or of so many drawn at random.
    package init(
        of model: GraphModel, on images: LabelledImages, seed: UInt64, token: CancellationToken? = nil,
        most: Int = mostSamples
    ) throws {
        (self.model, self.images, self.token) = (model, images, token)
        let most = min(most, max(1, Self.mostValues / images.classes))
        var random = SplitMix64(seed: seed)
        let chosen =
            images.count <= most
            ? Array(0..<images.count) : (0..<images.count).shuffled(using: &random).prefix(most).sorted()
        row = Array(repeating: -1, count: images.count)
        for (place, sample) in chosen.enumerated() { row[sample] = Int32(place) }
        kept = try model.probabilities(images, chosen, token: token)
    }

    func knows(_ sample: Int) -> Bool { row[sample] >= 0 }

    /// With those of more samples.
    func knowing(_ samples: [Int]) throws -> ModelAnswers {
        let further = samples.filter { !knows($0) }
        guard !further.isEmpty else { return self }
        var answers = self
        let known = kept.shape[0]
        for (place, sample) in further.enumerated() { answers.row[sample] = Int32(known + place) }
        answers.kept = try Tensor.cat([kept, model.probabilities(images, further, token: token)])
        return answers
    }

    /// (samples.count, classes). What is not known is asked of the model.
    func probabilities(_ samples: [Int]) throws -> Tensor {
        guard samples.allSatisfy(knows) else { return try model.probabilities(images, samples, token: token) }
        return try kept.rows(samples.map { Int(row[$0]) })
    }
}
