import Execution
import Findings
import Synchronization
import Tensors

/// The first look at samples, for one gradient each: the direction that leads out of the class, and how far the boundary is by first
/// order. Those that are not looked at so closely are predicted.
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

    /// Surveys some samples and predicts the others.
    ///
    /// - Parameters:
    ///   - progress: the fraction of the passes that is done.
    ///   - surveyed: told before the others are predicted.
    /// - Returns: a table in which none is analysed.
    package func run(
        _ screen: [Int], progress: @escaping @Sendable (Double) -> Void = { _ in }, surveyed: () -> Void = {}
    ) throws -> AnalysisTable {
        let table = Mutex(AnalysisTable(count: images.count))
        let chosen = Set(screen)
        let others = (0..<images.count).filter { !chosen.contains($0) }
        let closely = Double(screen.count) * Passes.gradientInForwards
        let share = closely / max(closely + Double(others.count), 1)
        try survey(screen, progress: { progress($0 * share) }) { findings in
            table.withLock { $0.takeSurvey(findings) }
        }
        surveyed()
        guard !others.isEmpty else { return table.withLock { $0 } }
        let stage = PredictionStage(
            prediction: Prediction(model: model, images: images, token: token),
            keeping: { findings in table.withLock { $0.takePredictions(findings) } })
        try batches.run(others, of: stage, help: help) { progress(share + $0 * (1 - share)) }
        return table.withLock { $0 }
    }

    /// Looks at further samples.
    /// - Parameter keeping: for the table; called on several threads.
    func survey(
        _ samples: [Int], progress: @escaping @Sendable (Double) -> Void = { _ in },
        keeping: @escaping @Sendable (SampleFindings) -> Void
    ) throws {
        guard !samples.isEmpty else { return }
        let stage = SurveyStage(
            look: FirstLook(model: model, images: images, sketch: store.sketch, token: token), store: store,
            keeping: keeping)
        try batches.run(samples, of: stage, help: help, progress: progress)
    }

    private var batches: SampleBatches { SampleBatches(of: images, threads: threads, token: token) }
}

extension AnalysisTable {
    mutating func takePredictions(_ findings: SampleFindings) {
        for (row, sample) in findings.samples.enumerated() {
            predicted[sample] = findings.classes[0][row]
            runnerUp[sample] = findings.classes[1][row]
        }
    }

    mutating func takeSurvey(_ findings: SampleFindings) {
        takePredictions(findings)
        for (row, sample) in findings.samples.enumerated() {
            // NaN says that nobody looked; logits may leave none by being infinite.
            let distance = findings.distances[row]
            linearDistance[sample] = distance.isNaN ? .infinity : distance
        }
    }
}

private struct SurveyStage: SampleStage {
    let stage = StageCost.Stage.survey
    let look: FirstLook
    let store: PerturbationStore
    let keeping: @Sendable (SampleFindings) -> Void

    var rowBytes: Int { store.sketch.rowBytes }

    func labels(of samples: [Int]) -> [Int32] { [] }

    func findings(of samples: [Int]) throws -> SampleFindings { try look.findings(of: samples) }

    func keep(_ findings: SampleFindings) throws {
        try store.write(findings.directions, of: findings.samples)
        keeping(findings)
    }
}

/// What the model sees in samples that nothing else is asked of.
struct PredictionStage: SampleStage {
    var stage = StageCost.Stage.predictions
    var imageSet = ImageSet.training
    let prediction: Prediction
    let keeping: @Sendable (SampleFindings) -> Void

    let rowBytes = 0

    func labels(of samples: [Int]) -> [Int32] { [] }

    func findings(of samples: [Int]) throws -> SampleFindings { try prediction.findings(of: samples) }

    func keep(_ findings: SampleFindings) { keeping(findings) }
}

/// What the model sees in one batch.
package struct Prediction: Sendable {
    let model: GraphModel
    let images: LabelledImages
    let token: CancellationToken

    package init(model: GraphModel, images: LabelledImages, token: CancellationToken) {
        self.model = model
        self.images = images
        self.token = token
    }

    package func findings(of samples: [Int]) throws -> SampleFindings {
        let logits = try model.forward(images.batch(samples), mode: .inference, token: token)
        return SampleFindings(
            samples: samples, classes: try Self.classes(logits), distances: [], directions: [], gradients: 0)
    }

    /// The likeliest class of each sample, and the next.
    static func classes(_ logits: Tensor) throws -> [[Int32]] {
        let own = try logits.argmax(1)
        let predicted: [Int] = try own.array()
        let next: [Int] = try MarginObjective.others(logits, own).argmax(1).array()
        return [predicted.map { Int32($0) }, next.map { Int32($0) }]
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
        let (logits, gradient) = try model.surveyed(images.batch(samples), token: token)
        let own = try logits.argmax(1)
        let flat = try gradient.contiguous().flatten(from: 1)
        let norms = try flat.norm([1]).clamp(1e-9, nil)
        return SampleFindings(
            samples: samples, classes: try Prediction.classes(logits),
            distances: try (MarginObjective.runnerUp.value(logits, own) / norms).array(),
            directions: try sketch.bytes(-(flat / norms.unsqueeze(1))), gradients: samples.count)
    }
}
