import Execution
import Findings
import Support
import Tensors

/// A small set of images whose labels the user vouches for: one half to learn from, the other to measure by.
package struct TrustedImages: Sendable {
    package let images: LabelledImages
    package let learned: [Int]
    package let held: [Int]

    /// - Throws: `trusted-set-too-small`.
    package init(_ images: LabelledImages, seed: UInt64) throws {
        try JobRules.checkTrusted(images: images.count)
        var random = SplitMix64(seed: seed)
        let order = Array(0..<images.count).shuffled(using: &random)
        self.images = images
        learned = order.prefix(order.count / 2).sorted()
        held = order.suffix(order.count - learned.count).sorted()
    }

    package func accuracy(of model: GraphModel, token: CancellationToken) throws -> Double {
        let predictions = try model.predictions(images, held, token: token)
        return Accuracy.clean(predictions: predictions, labels: held.map { images.labels[$0] })
    }

    /// Two standard errors of a change in accuracy, where one image in ten changes sides: less than this is chance.
    package var chance: Double { 2 * (0.1 / Double(held.count)).squareRoot() }

    /// Images, labels and the suspicious model's answers to learn from.
    package struct Lesson: Sendable {
        package let images: LabelledImages
        package let samples: [Int]
        /// (samples.count, classes)
        package let teacher: Tensor

        /// `count` samples by their place in `samples`, drawn at random.
        package func draw(_ count: Int, using random: inout SplitMix64) -> [Int] {
            (0..<count).map { _ in Int.random(in: samples.indices, using: &random) }
        }
    }

    package func lesson(by model: GraphModel, token: CancellationToken) throws -> Lesson {
        Lesson(
            images: images, samples: learned,
            teacher: try model.probabilities(images, learned, token: token))
    }
}
