import Execution
import Tensors

/// How the penultimate activations change where samples take their first step out of their class.
struct FeatureChanges {
    let model: GraphModel
    let images: LabelledImages
    let steps: FirstSteps
    let threads: Int
    let token: CancellationToken

    /// Writes the unit changes of all samples to a file; nil for a model without such a layer.
    func write(to path: String) throws -> PerturbationStore? {
        let probe = try model.forwardWithFeatures(images.batch([0]), mode: .inference, token: token).features
        guard let width = try probe?.size(1) else { return nil }
        let store = try PerturbationStore(path: path, samples: images.count, values: width)
        let batches = SampleBatches(of: images, threads: threads, token: token)
        try batches.run(Array(0..<images.count), progress: { _ in }) { samples in
            let batch = try images.batch(samples)
            let moved = try batch + steps.perturbations(of: samples)
            guard let before = try features(batch), let after = try features(moved) else { return }
            try store.write((after - before).unitRows(), of: samples)
        }
        return store
    }

    private func features(_ batch: Tensor) throws -> Tensor? {
        try model.forwardWithFeatures(batch, mode: .inference, token: token).features
    }
}
