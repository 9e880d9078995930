import Dispatch
import Execution
import Synchronization
import Tensors

/// Workers elsewhere, which take parts of a stage over.
package protocol BatchHelp: Sendable {
    /// Seconds that a stage must still need for others to be asked.
    var patience: Double { get }
    /// The stage may be shared from now on. Called again for the same one.
    func begin(_ batches: SharedBatches)
    /// It is over, done or not.
    func end()
}

/// The batches of one stage, and who does which: this process takes them one by one from the front, others in parts from the
/// back. Each part is smaller than the one before, so that all come to their end together.
package final class SharedBatches: Sendable {
    /// Batches that another process does.
    package struct Part: Sendable {
        package var number: Int
        package var samples: [Int]
        /// See `SampleStage.labels`.
        package var labels: [Int32]
    }

    private struct State {
        /// What nobody has taken.
        var rest: Range<Int>
        /// Given back by those who had taken it.
        var returned: [Int] = []
        var parts: [Int: (taker: Int, batches: Range<Int>)] = [:]
        /// Samples that are done.
        var done = 0
    }

    package let stage: any SampleStage
    package let threadsOfBatch: Int
    private let batches: [[Int]]
    private let samples: Int
    private let progress: @Sendable (Double) -> Void
    private let begin = ContinuousClock.now
    private let state: Mutex<State>
    private let news = DispatchSemaphore(value: 0)

    /// So many samples make a part at most: its description and its findings stay small.
    package static let mostSamples = 4_096
    private static let shortestWait: Duration = .seconds(30)

    init(
        _ batches: [[Int]], of stage: any SampleStage, threadsOfBatch: Int,
        progress: @escaping @Sendable (Double) -> Void
    ) {
        self.batches = batches
        self.stage = stage
        self.threadsOfBatch = threadsOfBatch
        self.progress = progress
        samples = batches.reduce(0) { $0 + $1.count }
        state = Mutex(State(rest: batches.indices))
    }

    // MARK: This process

    /// A batch for a thread of this process; nil where none is left to take.
    func claim() -> Int? {
        state.withLock { state in
            state.returned.popLast() ?? state.rest.popFirst()
        }
    }

    func finish(_ findings: SampleFindings) throws {
        try stage.keep(findings)
        count(findings)
    }

    private func count(_ findings: SampleFindings) {
        let fraction = state.withLock { state in
            state.done += findings.samples.count
            return Double(state.done) / Double(samples)
        }
        progress(fraction)
    }

    /// Whether what is left would take this process longer than so many seconds.
    func isWorthHelp(_ patience: Double) -> Bool {
        let (done, left) = state.withLock { ($0.done, $0.rest.count) }
        guard left > 1, done > 0 else { return false }
        let elapsed = (ContinuousClock.now - begin) / .seconds(1)
        return elapsed * Double(samples - done) / Double(done) >= patience
    }

    /// Waits for parts that others have, once nothing is left to take; not for longer than the stage has taken so far, for the
    /// sake of one that is stopped somewhere.
    /// - Returns: whether there is something to take again.
    func waitForHelp(_ token: CancellationToken) throws -> Bool {
        let last = ContinuousClock.now + max(Self.shortestWait, ContinuousClock.now - begin)
        while true {
            try token.check()
            if .now >= last { giveBack { _ in true } }
            let (isDone, isBack) = state.withLock { ($0.done == samples, !$0.returned.isEmpty) }
            if isDone { return false }
            if isBack { return true }
            _ = news.wait(timeout: .now() + .milliseconds(100))
        }
    }

    // MARK: Others

    /// - Parameters:
    ///   - number: of no part before, of this or another stage.
    ///   - taker: who does it.
    ///   - takers: how many there are, this process not counted.
    /// - Returns: nil where so little is left that this process does it itself.
    package func takePart(_ number: Int, by taker: Int, of takers: Int) -> Part? {
        state.withLock { state in
            // Each has two at a time; one batch is left to this process.
            let most = max(1, Self.mostSamples / max(1, batches[0].count))
            let count = min(most, state.rest.count / (2 * (takers + 1)), state.rest.count - 1)
            guard count > 0 || state.rest.count > 1 else { return nil }
            let taken = state.rest.suffix(max(1, count))
            state.rest = state.rest.lowerBound..<taken.lowerBound
            state.parts[number] = (taker, taken)
            let samples = Array(batches[taken].joined())
            return Part(number: number, samples: samples, labels: stage.labels(of: samples))
        }
    }

    /// - Returns: the samples of a part that this taker has.
    package func samples(of part: Int, by taker: Int) -> [Int]? {
        state.withLock { state in
            guard let entry = state.parts[part], entry.taker == taker else { return nil }
            return Array(batches[entry.batches].joined())
        }
    }

    /// Keeps what was found of a part, as it was checked to be of its samples.
    package func finish(part: Int, _ findings: SampleFindings) throws {
        guard let taken = state.withLock({ $0.parts.removeValue(forKey: part) }) else { return }
        do { try stage.keep(findings) } catch {
            state.withLock { $0.returned += taken.batches.reversed() }
            news.signal()
            throw error
        }
        count(findings)
        news.signal()
    }

    /// What a taker has, and will not do, is to be done again.
    package func giveBack(by taker: Int) { giveBack { $0 == taker } }

    private func giveBack(_ isMeant: (Int) -> Bool) {
        state.withLock { state in
            for (number, part) in state.parts where isMeant(part.taker) {
                state.parts[number] = nil
                state.returned += part.batches.reversed()
            }
        }
        news.signal()
    }
}
