import Execution
import Tensors

/// Samples' first steps of the descent out of their class (`BoundaryDescent.unbiased`), from what the survey kept of them.
struct FirstSteps {
    let model: GraphModel
    let images: LabelledImages
    let table: AnalysisTable
    let store: PerturbationStore
    let token: CancellationToken

    /// What moves each sample: (n, C, H, W), within the input box. Costs a gradient each where the survey's directions are
    /// sketches.
    func perturbations(of samples: [Int]) throws -> Tensor {
        let batch = try images.batch(samples)
        let descent = BoundaryDescent.unbiased(model: model, images: images, token: token)
        guard store.isExact else {
            let own = try Tensor(samples.map { Int(table.predicted[$0]) })
            let (logits, gradient) = try model.inputGradient(batch, token: token) {
                try MarginObjective.meanLogit.value($0, own).sum()
            }
            let margins = try MarginObjective.runnerUp.value(logits, own)
            return try descent.stepped(batch, gradient, margins) - batch
        }
        // The rows have length 1, for which the margin is the distance.
        let gradient = try -store.rows(samples).reshape(batch.shape)
        let margins = try Tensor(samples.map { table.linearDistance[$0] })
        return try descent.stepped(batch, gradient, margins) - batch
    }
}
