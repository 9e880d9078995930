import Execution
import Synchronization
import Tensors

/// Works on samples in batches, which a pool of workers shares.
struct SampleBatches {
    private let size: Int
    private let pool: WorkerPool

    private static let most = 128

    init(of images: LabelledImages, threads: Int, token: CancellationToken) {
        size = images.batchSize(atMost: Self.most)
        pool = WorkerPool(threads: threads, token: token)
    }

    /// - Parameters:
    ///   - body: one batch's samples, in order; called on several threads.
    ///   - progress: the fraction that is done.
    /// - Throws: the first failure of `body`; no further batch is begun after it.
    func run(
        _ samples: [Int], progress: @Sendable (Double) -> Void, body: @Sendable ([Int]) throws -> Void
    ) throws {
        let done = Mutex(0)
        // A worker for less than a batch would only take threads from the others.
        try pool.run((samples.count + size - 1) / size, most: max(1, samples.count / size)) { piece in
            let part = Array(samples[piece * size..<min((piece + 1) * size, samples.count)])
            try body(part)
            let soFar = done.withLock { done in
                done += part.count
                return done
            }
            progress(Double(soFar) / Double(samples.count))
        }
    }
}
