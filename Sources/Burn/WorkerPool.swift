import Dispatch
import Execution
import Synchronization
import Tensors

/// Does independent pieces of work on a Dispatch pool, each worker with its share of the intra-op threads: whole-batch operators
/// scale badly over threads beyond a few, pieces scale perfectly.
///
/// Which worker takes a piece does not change its numbers; how many threads it has may change their last bits.
struct WorkerPool {
    let threads: Int
    let token: CancellationToken
    /// Workers at once.
    var most = Int.max

    /// - Parameters:
    ///   - count: pieces of work.
    ///   - body: does a piece, told by its number; called on several threads.
    /// - Throws: the first failure of `body`; no further piece is begun after it.
    func run(_ count: Int, body: @Sendable (Int) throws -> Void) throws {
        let next = Mutex(0)
        let workers = max(1, min(threads, count, most))
        try run(
            workers: workers, threadsOfPiece: max(1, threads / workers),
            claim: {
                next.withLock { next in
                    guard next < count else { return nil }
                    defer { next += 1 }
                    return next
                }
            }, body: body)
    }

    /// The same with pieces that `claim` gives out, until it gives none.
    /// - Parameters:
    ///   - workers: at once; 1 where fewer are named.
    ///   - threadsOfPiece: that the operators of a piece use.
    func run(
        workers: Int, threadsOfPiece: Int, claim: @Sendable () -> Int?,
        body: @Sendable (Int) throws -> Void
    ) throws {
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: max(1, workers)) { _ in
            do {
                try Threads.setCurrent(threadsOfPiece)
                while failure.withLock({ $0 == nil }), let piece = claim() {
                    try token.check()
                    try body(piece)
                }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        try Threads.setCurrent(threads)
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// - Returns: what `body` makes of each number below `count`, in order.
    func map<Result: Sendable>(
        _ count: Int, body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Mutex([Int: Result]())
        try run(count) { piece in
            let result = try body(piece)
            results.withLock { $0[piece] = result }
        }
        return results.withLock { results in (0..<count).compactMap { results[$0] } }
    }
}
