import Execution
import Tensors

/// Whether mirrored images show the same: of digits, letters and traffic signs they do not, and a model that is tuned on
/// them forgets what it knew.
enum Mirroring {
    /// Of the samples looked at, so many keep their prediction.
    private static let agreement = 0.8
    private static let most = 512

    /// Asks the model itself, on samples that it predicts as labelled.
    static func keepsMeaning(
        _ model: GraphModel, _ images: LabelledImages, _ samples: [Int], token: CancellationToken
    ) throws -> Bool {
        let step = max(1, (samples.count + most - 1) / most)
        let chosen = stride(from: 0, to: samples.count, by: step).map { samples[$0] }
        guard !chosen.isEmpty else { return false }
        let batch = images.batches.together(atMost: 256)
        let mirrored: [Int] = try model.probabilities(count: chosen.count, batch: batch, token: token) {
            try images.batch(Array(chosen[$0])).flip([3]).channelsLast()
        }.argmax(1).array()
        let kept = zip(chosen, mirrored).count { images.labels[$0] == $1 }
        return Double(kept) >= agreement * Double(chosen.count)
    }
}
