import Dispatch
import Execution
import Findings
import Synchronization
import Tensors

/// The first phase: distance, adversarial label and perturbation of every sample.
///
/// Samples are independent, so batches run on a Dispatch pool, each worker with its share of the intra-op
/// threads. Which worker takes a batch does not change its numbers.
package struct BoundaryAnalysis {
    package let model: GraphModel
    package let images: LabelledImages
    package let store: PerturbationStore
    /// Where the changes of the penultimate activations go; nil for a model without such a layer.
    package let features: PerturbationStore?
    package let method: JobOptions.DistanceMethod
    package let threads: Int
    package let token: CancellationToken
    package var batch: Int { images.batchSize(atMost: 128) }

    package struct Outcome {
        package var table: AnalysisTable
        /// Input gradients taken, for the work done per sample.
        package var gradients: Int
    }

    package init(
        model: GraphModel, images: LabelledImages, store: PerturbationStore, features: PerturbationStore?,
        method: JobOptions.DistanceMethod, threads: Int, token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.store = store
        self.features = features
        self.method = method
        self.threads = threads
        self.token = token
    }

    private struct Shared {
        var next = 0
        var done = 0
        var outcome: Outcome
        var failure: (any Error)?
    }

    package func run(progress: @escaping @Sendable (Double) -> Void) throws -> Outcome {
        let shared = Mutex(Shared(outcome: Outcome(table: AnalysisTable(count: images.count), gradients: 0)))
        // Whole-batch operators scale badly over threads beyond a few; batches scale perfectly.
        let workers = max(1, min(threads, images.count / batch))
        let threadsEach = max(1, threads / workers)
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            do {
                try Threads.setCurrent(threadsEach)
                while let start = claim(shared) {
                    try analyse(start..<min(start + batch, images.count), into: shared, progress)
                }
            } catch {
                shared.withLock { $0.failure = $0.failure ?? error }
            }
        }
        try Threads.setCurrent(threads)
        return try shared.withLock { shared in
            if let failure = shared.failure { throw failure }
            return shared.outcome
        }
    }

    private func claim(_ shared: borrowing Mutex<Shared>) -> Int? {
        shared.withLock { shared in
            guard shared.failure == nil, shared.next < images.count else { return nil }
            defer { shared.next += batch }
            return shared.next
        }
    }

    private func analyse(
        _ range: Range<Int>, into shared: borrowing Mutex<Shared>, _ progress: (Double) -> Void
    ) throws {
        try token.check()
        let batch = try images.batch(Array(range))
        let before = try model.forwardWithFeatures(batch, mode: .inference, token: token)
        let predicted: [Int] = try before.logits.argmax(1).array()
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
        let spread = try BoundaryDescent.unbiased(model: model, images: images, token: token)
            .run(batch, predicted: predicted)
        let flat = try spread.perturbations.contiguous().flatten(from: 1)
        let norms = try flat.norm([1])
        try store.write(flat / norms.clamp(1e-9, nil).unsqueeze(1), at: range.lowerBound)
        if let features, let untouched = before.features {
            let moved = try model.forwardWithFeatures(
                batch + spread.perturbations, mode: .inference, token: token)
            if let changed = moved.features {
                let change = try changed - untouched
                let size = try change.norm([1]).clamp(1e-9, nil)
                try features.write(change / size.unsqueeze(1), at: range.lowerBound)
            }
        }
        let lengths: [Float] = try norms.array()
        let fraction = shared.withLock { shared in
            for (row, sample) in range.enumerated() {
                shared.outcome.table.predicted[sample] = Int32(predicted[row])
                shared.outcome.table.distance[sample] = distances[row]
                shared.outcome.table.adversarialLabel[sample] = Int32(spread.adversarialLabels[row])
                shared.outcome.table.perturbationNorm[sample] = lengths[row]
            }
            shared.outcome.gradients += closest.gradients + spread.gradients
            shared.done += range.count
            return Double(shared.done) / Double(images.count)
        }
        progress(fraction)
    }
}
