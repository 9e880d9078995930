import Evaluation
import Execution
import Problems
import SeededRandom
import Tensors

/// Whether the model and the data set belong together: a wrong normalisation or class order makes a working
/// model guess, and everything that is then said of it would be about the mistake.
enum InputAgreement {
    private static let probes = 1024
    /// Makes the draw one of its own: whoever planted samples with the same generator and seed drew from the same numbers.
    private static let stream: UInt64 = 0x1a9e_e3e5

    /// Throws a `Problem` when the model's predictions on a random part of the set agree with the given labels
    /// no more often than chance would have it.
    static func check(_ model: GraphModel, _ images: LabelledImages, seed: UInt64, token: CancellationToken)
        throws
    {
        var random = SplitMix64(seed: seed, keys: stream)
        let chosen = random.sample(min(probes, images.count), outOf: images.count).sorted()
        let predictions: [Int] = try model.probabilities(images, chosen, token: token).argmax(1).array()
        let labels = chosen.map { images.labels[$0] }
        let agreement = Accuracy.clean(predictions: predictions, labels: labels)
        let count = Double(max(chosen.count, 1))
        let chance = (0..<images.classes).reduce(0.0) { sum, label in
            let predicted = Double(predictions.count { $0 == label }) / count
            return sum + predicted * Double(labels.count { $0 == label }) / count
        }
        guard agreement <= chance + 3 * (chance * (1 - chance) / count).squareRoot() else { return }
        throw Problem(
            .unprocessable, code: "model-dataset-disagree",
            title: "The model does not recognise the data set",
            detail:
                "its predictions equal the given labels for \(percent(agreement)) of \(chosen.count) samples; "
                + "guessing would reach \(percent(chance))",
            location: "options.input",
            fix: "set options.input to the scaling (range, mean, std) that the model was trained with, and "
                + "options.classes if its outputs are not in the order of the sorted folder names")
    }

    private static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}
