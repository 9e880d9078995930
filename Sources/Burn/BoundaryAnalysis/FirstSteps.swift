import Execution
import Tensors

/// Samples' first steps of the descent out of their class (`BoundaryDescent.unbiased`), from what the survey kept of them.
struct FirstSteps {
    let model: GraphModel
    let images: LabelledImages
    var table: AnalysisTable
    let store: PerturbationStore
    let token: CancellationToken

    /// Whether a sample's step takes no gradient.
    func isKnown(_ sample: Int) -> Bool { store.isExact && table.isSurveyed(sample) }

    /// What moves each sample: (n, C, H, W), within the input box. Costs a gradient each unless all are known.
    func perturbations(of samples: [Int]) throws -> Tensor {
        let batch = try images.batch(samples)
        guard samples.allSatisfy(isKnown) else {
            return try Self.perturbations(
                of: batch, predicted: samples.map { Int(table.predicted[$0]) }, model: model, images: images,
                token: token)
        }
        let descent = BoundaryDescent.unbiased(model: model, images: images, token: token)
        // The rows have length 1, for which the margin is the distance.
        let gradient = try -store.rows(samples).reshape(batch.shape)
        let margins = try Tensor(samples.map { table.linearDistance[$0] })
        return try descent.stepped(batch, gradient, margins) - batch
    }

    /// The same from nothing that the survey kept but the predictions, for a gradient each.
    static func perturbations(
        of batch: Tensor, predicted: [Int], model: GraphModel, images: LabelledImages,
        token: CancellationToken?
    ) throws -> Tensor {
        let own = try Tensor(predicted)
        let (logits, gradient) = try model.inputGradient(batch, precision: .reduced, token: token) {
            try MarginObjective.meanLogit.value($0, own).sum()
        }
        let margins = try MarginObjective.runnerUp.value(logits, own)
        let descent = BoundaryDescent.unbiased(model: model, images: images, token: token)
        return try descent.stepped(batch, gradient, margins) - batch
    }
}
