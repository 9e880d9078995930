import Execution
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

    package init(
        model: GraphModel, images: LabelledImages, store: PerturbationStore, threads: Int,
        token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.store = store
        self.threads = threads
        self.token = token
    }

    /// - Returns: a table in which no sample is analysed.
    package func run(progress: @escaping @Sendable (Double) -> Void) throws -> AnalysisTable {
        let table = Mutex(AnalysisTable(count: images.count))
        let batches = SampleBatches(of: images, threads: threads, token: token)
        try batches.run(Array(0..<images.count), progress: progress) { try look(at: $0, into: table) }
        return table.withLock { $0 }
    }

    private func look(at samples: [Int], into table: borrowing Mutex<AnalysisTable>) throws {
        let (logits, gradient) = try model.inputGradient(images.batch(samples), token: token) {
            try MarginObjective.meanLogit.value($0, $0.argmax(1)).sum()
        }
        let own = try logits.argmax(1)
        let flat = try gradient.contiguous().flatten(from: 1)
        let norms = try flat.norm([1]).clamp(1e-9, nil)
        try store.write(-(flat / norms.unsqueeze(1)), of: samples)
        let linear: [Float] = try (MarginObjective.runnerUp.value(logits, own) / norms).array()
        let predicted: [Int] = try own.array()
        let next: [Int] = try MarginObjective.others(logits, own).argmax(1).array()
        table.withLock { table in
            for (row, sample) in samples.enumerated() {
                table.predicted[sample] = Int32(predicted[row])
                table.runnerUp[sample] = Int32(next[row])
                table.linearDistance[sample] = linear[row]
            }
        }
    }
}
