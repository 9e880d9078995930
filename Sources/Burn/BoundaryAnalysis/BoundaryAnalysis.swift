import Execution
import Findings
import Synchronization
import Tensors

/// Distances, perturbations and adversarial labels by full descents, of the samples that are asked about.
///
/// Two descents are six to eight times the work of `GradientSurvey`. What was analysed once is remembered.
package final class BoundaryAnalysis: Sendable {
    /// Unit perturbations of the samples that were analysed.
    package let store: PerturbationStore
    private let survey: GradientSurvey
    private let descents: FullDescents
    private let batches: SampleBatches
    let help: (any BatchHelp)?
    private let state: Mutex<State>

    private struct State {
        var table: AnalysisTable
        var gradients = 0
    }

    /// - Parameters:
    ///   - table: of the survey.
    ///   - survey: whose directions are kept where those of the table's are.
    ///   - store: for as many samples; those that the table calls analysed are in it.
    package init(
        _ table: AnalysisTable, survey: GradientSurvey, store: PerturbationStore,
        method: JobOptions.DistanceMethod
    ) {
        self.survey = survey
        self.store = store
        help = survey.help
        descents = FullDescents(
            model: survey.model, images: survey.images, sketch: store.sketch, method: method,
            token: survey.token)
        batches = SampleBatches(of: survey.images, threads: survey.threads, token: survey.token)
        state = Mutex(State(table: table))
    }

    /// As far as it is known by now.
    package var table: AnalysisTable { state.withLock { $0.table } }

    /// Input gradients taken, for the work done.
    package var gradients: Int { state.withLock { $0.gradients } }

    /// Sees to it that these samples are surveyed.
    package func complete(_ samples: some Sequence<Int>) throws {
        let known = table
        let wanted = Set(samples).filter { !known.isSurveyed($0) }.sorted()
        try survey.survey(wanted) { findings in
            self.state.withLock { $0.table.takeSurvey(findings) }
        }
    }

    /// Sees to it that these samples are analysed.
    package func analyse(
        _ samples: some Sequence<Int>, progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        let known = table
        let wanted = Set(samples).filter { !known.isAnalysed($0) }.sorted()
        guard !wanted.isEmpty else { return }
        try batches.run(
            wanted, of: Stage(analysis: self, predicted: known.predicted), help: help, progress: progress)
    }

    private struct Stage: SampleStage {
        let stage = StageCost.Stage.descents
        let analysis: BoundaryAnalysis
        let predicted: [Int32]

        var rowBytes: Int { analysis.store.sketch.rowBytes }

        func labels(of samples: [Int]) -> [Int32] { samples.map { predicted[$0] } }

        func findings(of samples: [Int]) throws -> SampleFindings {
            try analysis.descents.findings(of: samples, predicted: labels(of: samples))
        }

        func keep(_ findings: SampleFindings) throws { try analysis.keep(findings) }
    }

    private func keep(_ findings: SampleFindings) throws {
        try store.write(findings.directions, of: findings.samples)
        state.withLock { state in
            for (row, sample) in findings.samples.enumerated() {
                state.table.distance[sample] = findings.distances[row]
                state.table.adversarialLabel[sample] = findings.classes[0][row]
            }
            state.gradients += findings.gradients
        }
    }
}

/// The descents of one batch.
package struct FullDescents: Sendable {
    let model: GraphModel
    let images: LabelledImages
    let sketch: PerturbationSketch
    let method: JobOptions.DistanceMethod
    let token: CancellationToken

    package init(
        model: GraphModel, images: LabelledImages, sketch: PerturbationSketch,
        method: JobOptions.DistanceMethod, token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.sketch = sketch
        self.method = method
        self.token = token
    }

    /// - Parameter predicted: the model's prediction for each of the samples.
    package func findings(of samples: [Int], predicted: [Int32]) throws -> SampleFindings {
        let batch = try images.batch(samples)
        let predicted = predicted.map { Int($0) }
        let nearest = try BoundaryDescent.nearest(model: model, images: images, token: token)
            .run(batch, predicted: predicted)
        var closest = (perturbations: nearest.perturbations, gradients: nearest.gradients)
        if method == .ddn {
            let refined = try DecoupledDirectionNorm(
                model: model, lowest: images.lowest, highest: images.highest, token: token
            ).refine(nearest.perturbations, images: batch, predicted: predicted)
            closest = (refined.perturbations, nearest.gradients + refined.gradients)
        }
        let unbiased = try BoundaryDescent.unbiased(model: model, images: images, token: token)
            .run(batch, predicted: predicted)
        return SampleFindings(
            samples: samples, classes: [unbiased.adversarialLabels.map { Int32($0) }],
            distances: try closest.perturbations.flatten(from: 1).norm([1]).array(),
            directions: try sketch.bytes(
                unbiased.perturbations.contiguous().flatten(from: 1).unitRows()),
            gradients: closest.gradients + unbiased.gradients)
    }
}
