import Execution
import Findings
import Synchronization
import Tensors

/// Works on samples in batches, which a pool of workers shares.
package struct SampleBatches: Sendable {
    private let size: Int
    /// Batches at the same time.
    private let most: Int
    private let threads: Int
    private let token: CancellationToken

    package init(of images: LabelledImages, threads: Int, token: CancellationToken) {
        size = images.batches.together(atMost: BatchSizes.mostOfStage)
        most = images.batches.atOnce(ofSize: size)
        self.threads = threads
        self.token = token
    }

    /// - Parameters:
    ///   - body: one batch's samples, in order; called on several threads.
    ///   - progress: the fraction that is done.
    /// - Throws: the first failure of `body`; no further batch is begun after it.
    func run(
        _ samples: [Int], progress: @Sendable (Double) -> Void, body: @Sendable ([Int]) throws -> Void
    ) throws {
        let done = Mutex(0)
        let batches = cut(samples)
        try WorkerPool(threads: threads, token: token, most: workers(samples)).run(batches.count) {
            piece in
            try body(batches[piece])
            let soFar = done.withLock { done in
                done += batches[piece].count
                return done
            }
            progress(Double(soFar) / Double(samples.count))
        }
    }

    /// A stage, whose batches others may take over: those that are cut here, with the threads for each that they have here,
    /// so that it makes no difference who does which.
    func run(
        _ samples: [Int], of stage: some SampleStage, help: (any BatchHelp)?,
        progress: @escaping @Sendable (Double) -> Void
    ) throws {
        guard let help else {
            return try run(samples, progress: progress) { try stage.keep(stage.findings(of: $0)) }
        }
        let batches = cut(samples)
        let workers = max(1, min(threads, batches.count, workers(samples)))
        let shared = SharedBatches(
            batches, of: stage, threadsOfBatch: max(1, threads / workers), progress: progress)
        defer { help.end() }
        repeat {
            try WorkerPool(threads: threads, token: token).run(
                workers: workers, threadsOfPiece: shared.threadsOfBatch, claim: shared.claim
            ) { batch in
                try shared.finish(stage.findings(of: batches[batch]))
                if shared.isWorthHelp(help.patience) { help.begin(shared) }
            }
        } while try shared.waitForHelp(token)
    }

    /// The findings of samples whose batches were cut elsewhere, in their order.
    /// - Parameter threadsOfBatch: that the operators of each batch use.
    package func findings(
        of samples: [Int], threadsOfBatch: Int, body: @Sendable ([Int]) throws -> SampleFindings
    ) throws -> SampleFindings? {
        let batches = cut(samples)
        let found = Mutex([Int: SampleFindings]())
        let next = Mutex(0)
        try WorkerPool(threads: threads, token: token).run(
            workers: min(batches.count, threads / threadsOfBatch, most), threadsOfPiece: threadsOfBatch,
            claim: {
                next.withLock { next in
                    defer { next += 1 }
                    return next < batches.count ? next : nil
                }
            }
        ) { piece in
            let findings = try body(batches[piece])
            found.withLock { $0[piece] = findings }
        }
        return found.withLock { found in
            guard var all = found[0] else { return nil }
            for piece in batches.indices.dropFirst() { found[piece].map { all.append($0) } }
            return all
        }
    }

    private func cut(_ samples: [Int]) -> [[Int]] {
        stride(from: 0, to: samples.count, by: size).map {
            Array(samples[$0..<min($0 + size, samples.count)])
        }
    }

    /// A worker for less than a batch would only take threads from the others.
    private func workers(_ samples: [Int]) -> Int { min(most, max(1, samples.count / size)) }
}
