import Execution
import Findings
import Support
import Tensors

/// How the penultimate activations change where samples take their first step out of their class.
struct FeatureChanges {
    var steps: FirstSteps
    /// Unit changes, of the samples that were asked about.
    let store: PerturbationStore
    let threads: Int
    let help: (any BatchHelp)?
    private let change: FeatureChange

    /// - Parameter path: where they are kept.
    /// - Returns: nil for a model without such a layer.
    init?(_ steps: FirstSteps, path: String, threads: Int, help: (any BatchHelp)? = nil) throws {
        guard let change = try FeatureChange(model: steps.model, images: steps.images, token: steps.token)
        else { return nil }
        self.steps = steps
        self.threads = threads
        self.help = help
        self.change = change
        store = try PerturbationStore(
            path: path, samples: steps.images.count, values: change.sketch.values)
    }

    func write(_ samples: [Int]) throws {
        guard !samples.isEmpty else { return }
        let batches = SampleBatches(of: steps.images, threads: threads, token: steps.token)
        // Directions that the survey kept are at hand here alone.
        try batches.run(
            samples, of: Stage(change: change, steps: steps, store: store),
            help: steps.store.isExact ? nil : help
        ) { _ in }
    }

    private struct Stage: SampleStage {
        let stage = StageCost.Stage.featureChanges
        let change: FeatureChange
        let steps: FirstSteps
        let store: PerturbationStore

        var rowBytes: Int { store.sketch.rowBytes }

        func labels(of samples: [Int]) -> [Int32] { samples.map { steps.table.predicted[$0] } }

        func findings(of samples: [Int]) throws -> SampleFindings {
            try change.findings(of: samples) { try steps.perturbations(of: samples) }
        }

        func keep(_ findings: SampleFindings) throws {
            try store.write(findings.directions, of: findings.samples)
        }
    }
}

/// The feature changes of one batch.
package struct FeatureChange: Sendable {
    let model: GraphModel
    let images: LabelledImages
    let sketch: PerturbationSketch
    let token: CancellationToken

    /// Nil for a model without a penultimate layer to speak of.
    package init?(model: GraphModel, images: LabelledImages, token: CancellationToken) throws {
        let probe = try model.forwardWithFeatures(images.batch([0]), mode: .inference, token: token).features
        guard let width = try probe?.size(1) else { return nil }
        self.model = model
        self.images = images
        self.token = token
        sketch = try PerturbationSketch(values: width)
    }

    /// Of steps that take a gradient each.
    /// - Parameter predicted: the model's prediction for each of the samples.
    package func findings(of samples: [Int], predicted: [Int32]) throws -> SampleFindings {
        try findings(of: samples) {
            try FirstSteps.perturbations(
                of: images.batch(samples), predicted: predicted.map { Int($0) }, model: model, images: images,
                token: token)
        }
    }

    fileprivate func findings(of samples: [Int], steps: () throws -> Tensor) throws -> SampleFindings {
        let batch = try images.batch(samples)
        let moved = try batch + steps()
        let changes = try features(moved) - features(batch)
        return SampleFindings(
            samples: samples, classes: [], distances: [], directions: try sketch.bytes(changes.unitRows()),
            gradients: 0)
    }

    private func features(_ batch: Tensor) throws -> Tensor {
        // In full: the difference of two that are nearly the same.
        let found = try model.forwardWithFeatures(batch, mode: .inference, token: token).features
        guard let found else {
            throw Problem(
                .internal, code: "features-missing",
                title: "The model's penultimate layer was not found again",
                detail: "It was there for the first image.",
                fix: "This is a defect of the service. Report it with the model, if you may.")
        }
        return found
    }
}
