import Execution
import Findings
import Synchronization
import Tensors

/// The first look at every sample, for one gradient each: the direction that leads out of its class, and how far the boundary is
/// by first order.
///
/// The direction of the mean-logit objective's gradient at the sample itself tells poisoned samples from clean ones as well as
/// the finished perturbation does, so that descents are spent on samples that matter (`BoundaryAnalysis`).
package struct GradientSurvey {
    package let model: GraphModel
    package let images: LabelledImages
    /// Where the unit directions go.
    package let store: PerturbationStore
    package let threads: Int
    package let token: CancellationToken
    let help: (any BatchHelp)?

    package init(
        model: GraphModel, images: LabelledImages, store: PerturbationStore, threads: Int,
        token: CancellationToken, help: (any BatchHelp)? = nil
    ) {
        self.model = model
        self.images = images
        self.store = store
        self.threads = threads
        self.token = token
        self.help = help
    }

    /// - Returns: a table in which no sample is analysed.
    package func run(progress: @escaping @Sendable (Double) -> Void) throws -> AnalysisTable {
        let stage = SurveyStage(
            look: FirstLook(model: model, images: images, sketch: store.sketch, token: token), store: store,
            count: images.count)
        let batches = SampleBatches(of: images, threads: threads, token: token)
        try batches.run(Array(0..<images.count), of: stage, help: help, progress: progress)
        return stage.table.withLock { $0 }
    }
}

private final class SurveyStage: SampleStage {
    let stage = StageCost.Stage.survey
    let table: Mutex<AnalysisTable>
    private let look: FirstLook
    private let store: PerturbationStore

    init(look: FirstLook, store: PerturbationStore, count: Int) {
        self.look = look
        self.store = store
        table = Mutex(AnalysisTable(count: count))
    }

    var rowBytes: Int { store.sketch.rowBytes }

    func labels(of samples: [Int]) -> [Int32] { [] }

    func findings(of samples: [Int]) throws -> SampleFindings { try look.findings(of: samples) }

    func keep(_ findings: SampleFindings) throws {
        try store.write(findings.directions, of: findings.samples)
        table.withLock { table in
            for (row, sample) in findings.samples.enumerated() {
                table.predicted[sample] = findings.classes[0][row]
                table.runnerUp[sample] = findings.classes[1][row]
                table.linearDistance[sample] = findings.distances[row]
            }
        }
    }
}

/// The survey of one batch.
package struct FirstLook: Sendable {
    let model: GraphModel
    let images: LabelledImages
    let sketch: PerturbationSketch
    let token: CancellationToken

    package init(
        model: GraphModel, images: LabelledImages, sketch: PerturbationSketch, token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.sketch = sketch
        self.token = token
    }

    package func findings(of samples: [Int]) throws -> SampleFindings {
        let (logits, gradient) = try model.inputGradient(images.batch(samples), token: token) {
            try MarginObjective.meanLogit.value($0, $0.argmax(1)).sum()
        }
        let own = try logits.argmax(1)
        let flat = try gradient.contiguous().flatten(from: 1)
        let norms = try flat.norm([1]).clamp(1e-9, nil)
        let predicted: [Int] = try own.array()
        let next: [Int] = try MarginObjective.others(logits, own).argmax(1).array()
        return SampleFindings(
            samples: samples, classes: [predicted.map { Int32($0) }, next.map { Int32($0) }],
            distances: try (MarginObjective.runnerUp.value(logits, own) / norms).array(),
            directions: try sketch.bytes(-(flat / norms.unsqueeze(1))), gradients: samples.count)
    }
}
