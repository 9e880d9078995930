import Execution
import Tensors

/// What reduced precision does to a model's answers and gradients, measured on images of the job before anything rests on it.
package struct PrecisionTrial: Sendable {
    /// Median over the images of the cosine between the first gradient in full and in reduced precision; NaN where a model has
    /// none.
    package let cosine: Double
    /// Share of the images that are predicted alike.
    package let agreement: Double

    static let images = 64
    /// Rounding at random turns a direction by less than the directions of two samples of a class differ by; a model that lies
    /// beyond this has numbers that bfloat16 cannot hold.
    static let leastCosine = 0.98
    /// A prediction changes where two classes are level; few are.
    static let leastAgreement = 0.95

    /// Whether passes whose errors average out may be reduced.
    package var isAccepted: Bool { cosine >= Self.leastCosine && agreement >= Self.leastAgreement }

    package var description: String {
        "products before the last layer are \(isAccepted ? "" : "not ")taken in bfloat16: on \(Self.images) images the same "
            + "prediction for \(Int((agreement * 100).rounded())) %, first gradients with a median cosine of "
            + "\((cosine * 1_000).rounded() / 1_000)"
    }

    /// Lets `model` and its copies reduce passes where the trial is passed.
    /// - Returns: nil where the processor would gain nothing, or the model's numbers are no float32.
    package static func run(
        _ model: GraphModel, _ images: LabelledImages, token: CancellationToken
    ) throws -> PrecisionTrial? {
        guard ReducedPrecision.isFast, model.graph.imageType == .float32, images.count > 0 else { return nil }
        model.allowReducedPrecision(true)
        let count = min(Self.images, images.count)
        // Evenly over the set, which may be sorted by class.
        let samples = (0..<count).map { $0 * images.count / count }
        var (cosines, same) = ([Float](), 0)
        do {
            for part in images.parts(of: samples) {
                let batch = try images.batch(part)
                let (full, reduced) = (
                    try look(model, batch, .full, token), try look(model, batch, .reduced, token)
                )
                cosines += try (full.direction * reduced.direction).sum([1]).array()
                same += zip(full.predictions, reduced.predictions).count { $0 == $1 }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            // An operator that does not take such numbers; the same passes in full are tried by the job itself.
            model.allowReducedPrecision(false)
            return PrecisionTrial(cosine: .nan, agreement: 0)
        }
        let trial = PrecisionTrial(
            cosine: Double(cosines.sorted()[cosines.count / 2]), agreement: Double(same) / Double(count))
        model.allowReducedPrecision(trial.isAccepted)
        return trial
    }

    private static func look(
        _ model: GraphModel, _ batch: Tensor, _ precision: Precision, _ token: CancellationToken
    ) throws -> (direction: Tensor, predictions: [Int]) {
        let (logits, gradient) = try model.inputGradient(batch, precision: precision, token: token) {
            try MarginObjective.meanLogit.value($0, $0.argmax(1)).sum()
        }
        let flat = try gradient.contiguous().flatten(from: 1)
        return (try flat / flat.norm([1]).clamp(1e-30, nil).unsqueeze(1), try logits.argmax(1).array())
    }
}
