import Execution
import Findings
import Support
import Tensors

/// What reduced precision does to a model's answers and gradients, measured on images of the job before anything rests on it.
package struct PrecisionTrial: Sendable {
    /// Of the images' cosines between the first gradient in full and in reduced precision: the median, and the tenth that is
    /// lowest. 0 for an image without a gradient.
    package let median, lowest: Double
    /// Share of the images that are predicted alike, once near ties are asked again.
    package let agreement: Double
    package let images: Int
    /// What an operator said that does not take such numbers.
    package let refusal: String?

    static let mostImages = 64
    /// Rounding turns directions at random: the cosine of any two of them, which is what groups are told by, shrinks by the square,
    /// to 0.81 at most, as much for planted samples as for the others. Deep networks lie near it; a model that lies beyond has
    /// numbers that bfloat16 cannot hold.
    static let leastMedian = 0.9
    static let leastLowest = 0.8
    /// Images of a step of training that is tried.
    private static let mostTrained = 8

    /// Whether passes whose errors average out may be reduced.
    package var isAccepted: Bool {
        refusal == nil && median >= Self.leastMedian && lowest >= Self.leastLowest && agreement == 1
    }

    package var description: String {
        let taken = "products before the last layer are \(isAccepted ? "" : "not ")taken in bfloat16: "
        if let refusal { return taken + "with such numbers the model does not run (\(refusal))" }
        func text(_ cosine: Double) -> String { "\((cosine * 1_000).rounded() / 1_000)" }
        return taken + "of \(images) images \(Int((agreement * 100).rounded(.down))) % are predicted alike, "
            + "first gradients have a median cosine of \(text(median)), a tenth of them \(text(lowest)) or less"
    }

    /// Lets `model` and its copies reduce passes where the trial is passed.
    /// - Returns: nil where the processor would gain nothing, or the model's numbers are no float32.
    package static func run(
        _ model: GraphModel, _ images: LabelledImages, token: CancellationToken
    ) throws -> PrecisionTrial? {
        guard ReducedPrecision.isFast, model.graph.imageType == .float32, images.count > 0 else { return nil }
        model.allowReducedPrecision(true)
        let trial: PrecisionTrial
        do { trial = try measure(model, images, token) } catch let error as CancellationError {
            throw error
        } catch {
            trial = PrecisionTrial(
                median: 0, lowest: 0, agreement: 0, images: 0,
                refusal: (error as? Problem)?.detail ?? "\(error)")
        }
        model.allowReducedPrecision(trial.isAccepted)
        return trial
    }

    private static func measure(
        _ model: GraphModel, _ images: LabelledImages, _ token: CancellationToken
    ) throws -> PrecisionTrial {
        let count = min(mostImages, images.count)
        // Evenly over the set, which may be sorted by class.
        let samples = (0..<count).map { $0 * images.count / count }
        var (cosines, same) = ([Double](), 0)
        for part in images.parts(of: samples) {
            let batch = try images.batch(part)
            let full = try model.surveyed(batch, .full, token: token)
            let reduced = try model.surveyed(batch, .reduced, token: token)
            let directions = try [full.gradient, reduced.gradient].map {
                try $0.contiguous().flatten(from: 1).unitRows(least: 1e-30)
            }
            cosines += try (directions[0] * directions[1]).sum([1])
                .array(as: Float.self).map { $0.isFinite ? Double($0) : 0 }
            let found: [Int] = try reduced.logits.argmax(1).array()
            same += try zip(full.logits.argmax(1).array(as: Int.self), found).count { $0 == $1 }
        }
        try train(model, images, Array(samples.prefix(min(mostTrained, images.batches.learned))), token)
        return PrecisionTrial(
            median: Statistics.median(cosines), lowest: Statistics.quantile(cosines, 0.1),
            agreement: Double(same) / Double(count), images: count, refusal: nil)
    }

    /// A copy takes a step, whose plan has operators that the other passes have not.
    private static func train(
        _ model: GraphModel, _ images: LabelledImages, _ samples: [Int], _ token: CancellationToken
    ) throws {
        let copy = try model.copy()
        let logits = try copy.forward(
            images.batch(samples), mode: .training, precision: .reduced, token: token)
        let loss = try logits.crossEntropy(images.labels(samples))
        _ = try Autograd.gradientsIfUsed(of: [loss], weightedBy: [nil], withRespectTo: copy.parameters)
    }
}
