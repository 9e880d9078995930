import Execution
import Findings
import Synchronization
import Tensors

/// Distances, perturbations and adversarial labels by full descents, of the samples that are asked about.
///
/// Two descents are six to eight times the work of `GradientSurvey`. What was analysed once is remembered.
package final class BoundaryAnalysis: Sendable {
    private let model: GraphModel
    private let images: LabelledImages
    /// Unit perturbations of the samples that were analysed.
    package let store: PerturbationStore
    private let method: JobOptions.DistanceMethod
    private let threads: Int
    private let token: CancellationToken
    private let state: Mutex<State>

    private struct State {
        var table: AnalysisTable
        var gradients = 0
    }

    /// - Parameters:
    ///   - table: of the survey.
    ///   - store: for as many samples; those that the table calls analysed are in it.
    package init(
        model: GraphModel, images: LabelledImages, table: AnalysisTable, store: PerturbationStore,
        method: JobOptions.DistanceMethod, threads: Int, token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.store = store
        self.method = method
        self.threads = threads
        self.token = token
        state = Mutex(State(table: table))
    }

    /// As far as it is known by now.
    package var table: AnalysisTable { state.withLock { $0.table } }

    /// Input gradients taken, for the work done.
    package var gradients: Int { state.withLock { $0.gradients } }

    /// Sees to it that these samples are analysed.
    package func analyse(
        _ samples: some Sequence<Int>, progress: @Sendable (Double) -> Void = { _ in }
    ) throws {
        let known = table
        let wanted = Set(samples).filter { !known.isAnalysed($0) }.sorted()
        guard !wanted.isEmpty else { return }
        let batches = SampleBatches(of: images, threads: threads, token: token)
        try batches.run(wanted, progress: progress) { try analyse(batch: $0, known) }
    }

    private func analyse(batch samples: [Int], _ known: AnalysisTable) throws {
        let batch = try images.batch(samples)
        let predicted = samples.map { Int(known.predicted[$0]) }
        let nearest = try BoundaryDescent.nearest(model: model, images: images, token: token)
            .run(batch, predicted: predicted)
        var closest = (perturbations: nearest.perturbations, gradients: nearest.gradients)
        if method == .ddn {
            let refined = try DecoupledDirectionNorm(
                model: model, lowest: images.lowest, highest: images.highest, token: token
            ).refine(nearest.perturbations, images: batch, predicted: predicted)
            closest = (refined.perturbations, nearest.gradients + refined.gradients)
        }
        let distances: [Float] = try closest.perturbations.flatten(from: 1).norm([1]).array()
        let unbiased = try BoundaryDescent.unbiased(model: model, images: images, token: token)
            .run(batch, predicted: predicted)
        try store.write(
            unbiased.perturbations.contiguous().flatten(from: 1).unitRows(), of: samples)
        state.withLock { state in
            for (row, sample) in samples.enumerated() {
                state.table.distance[sample] = distances[row]
                state.table.adversarialLabel[sample] = Int32(unbiased.adversarialLabels[row])
            }
            state.gradients += closest.gradients + unbiased.gradients
        }
    }
}
