import Dispatch
import Execution
import Synchronization
import Tensors

/// Does independent pieces of work on a Dispatch pool, each worker with its share of the intra-op threads: whole-batch operators
/// scale badly over threads beyond a few, pieces scale perfectly.
///
/// Which worker takes a piece does not change its numbers.
struct WorkerPool {
    let threads: Int
    let token: CancellationToken

    private struct Progress {
        var next = 0
        var failure: (any Error)?
    }

    /// - Parameters:
    ///   - count: pieces of work.
    ///   - most: workers at once.
    ///   - body: does a piece, told by its number; called on several threads.
    /// - Throws: the first failure of `body`; no further piece is begun after it.
    func run(_ count: Int, most: Int = .max, body: @Sendable (Int) throws -> Void) throws {
        let shared = Mutex(Progress())
        let workers = max(1, min(threads, count, most))
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            do {
                try Threads.setCurrent(max(1, threads / workers))
                while let piece = claim(shared, count) {
                    try token.check()
                    try body(piece)
                }
            } catch {
                shared.withLock { $0.failure = $0.failure ?? error }
            }
        }
        try Threads.setCurrent(threads)
        if let failure = shared.withLock({ $0.failure }) { throw failure }
    }

    /// - Returns: what `body` makes of each number below `count`, in order.
    func map<Result: Sendable>(
        _ count: Int, most: Int = .max, body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Mutex([Int: Result]())
        try run(count, most: most) { piece in
            let result = try body(piece)
            results.withLock { $0[piece] = result }
        }
        return results.withLock { results in (0..<count).compactMap { results[$0] } }
    }

    private func claim(_ shared: borrowing Mutex<Progress>, _ count: Int) -> Int? {
        shared.withLock { shared in
            guard shared.failure == nil, shared.next < count else { return nil }
            defer { shared.next += 1 }
            return shared.next
        }
    }
}
