import Dispatch
import Execution
import Synchronization
import Tensors

/// Works on samples in batches on a Dispatch pool, each worker with its share of the intra-op threads.
///
/// Samples are independent, so which worker takes a batch does not change its numbers.
struct SampleBatches {
    private let size: Int
    private let threads: Int
    private let token: CancellationToken

    private static let most = 128

    init(of images: LabelledImages, threads: Int, token: CancellationToken) {
        size = images.batchSize(atMost: Self.most)
        self.threads = threads
        self.token = token
    }

    private struct Progress {
        var next = 0
        var done = 0
        var failure: (any Error)?
    }

    /// - Parameters:
    ///   - body: one batch's samples, in order; called on several threads.
    ///   - progress: the fraction that is done.
    /// - Throws: the first failure of `body`; no further batch is begun after it.
    func run(
        _ samples: [Int], progress: @Sendable (Double) -> Void, body: @Sendable ([Int]) throws -> Void
    ) throws {
        let shared = Mutex(Progress())
        // Whole-batch operators scale badly over threads beyond a few; batches scale perfectly.
        let workers = max(1, min(threads, samples.count / size))
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            do {
                try Threads.setCurrent(max(1, threads / workers))
                while let start = claim(shared, samples.count) {
                    try token.check()
                    let part = Array(samples[start..<min(start + size, samples.count)])
                    try body(part)
                    let done = shared.withLock { shared in
                        shared.done += part.count
                        return shared.done
                    }
                    progress(Double(done) / Double(samples.count))
                }
            } catch {
                shared.withLock { $0.failure = $0.failure ?? error }
            }
        }
        try Threads.setCurrent(threads)
        if let failure = shared.withLock({ $0.failure }) { throw failure }
    }

    private func claim(_ shared: borrowing Mutex<Progress>, _ count: Int) -> Int? {
        shared.withLock { shared in
            guard shared.failure == nil, shared.next < count else { return nil }
            defer { shared.next += size }
            return shared.next
        }
    }
}
