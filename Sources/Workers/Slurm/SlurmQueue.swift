import Foundation
import Support
import WorkerProtocol

/// What Slurm's controller says of the service's tasks, asked again and again on a thread of its own.
///
/// Tasks are known by their names, which begin with the service's own prefix: what bears it and is not known here is
/// left of an earlier run of the service, or of an srun that was killed, and is cancelled.
final class SlurmQueue: Sendable {
    private struct State {
        /// By name.
        var known: Set<String> = []
        var placements: [String: WorkerPlacement] = [:]
        /// Jobs to cancel before the next look.
        var doomed: Set<Int> = []
        var obstacle: Problem? = SlurmQueue.notAsked
        /// Whether a look found nothing that is left of earlier.
        var isClear = false
        var isClosed = true
        var looks = SlurmLooks()
    }

    private static let rankPause: Duration = .seconds(5)
    /// How long tasks of an earlier run may take to end on their nodes.
    private static let clearing: Duration = .seconds(30)

    private let commands: SlurmCommands
    private let nodes: SlurmNodes
    /// What the names of the service's tasks begin with.
    let prefix: String
    private let report: @Sendable (Problem?) -> Void
    private let state = Mutex(State())
    private let opened = ContinuousClock.now

    /// - Parameter report: told when the controller stops answering, and with nil when it does again.
    init(
        commands: SlurmCommands, nodes: SlurmNodes, prefix: String,
        report: @escaping @Sendable (Problem?) -> Void = { _ in }
    ) {
        self.commands = commands
        self.nodes = nodes
        self.prefix = prefix
        self.report = report
    }

    /// Asks from now on, until `close`.
    func open() {
        state.withLock { $0.isClosed = false }
        OwnThread.run("burn.slurm") { [self] in
            var ranked = ContinuousClock.now - Self.rankPause
            while !state.withLock({ $0.isClosed }) {
                let entries = look()
                if entries?.contains(where: { $0.state == "PENDING" }) == true,
                    .now - ranked >= Self.rankPause
                {
                    rank()
                    ranked = .now
                }
                if entries != nil { nodes.refresh() }
                pause()
            }
            endDoomed()
        }
    }

    func close() { state.withLock { $0.isClosed = true } }

    private func pause() {
        let begin = ContinuousClock.now
        while true {
            usleep(50_000)
            let time: Duration? = state.withLock { state in
                if state.isClosed { return nil }
                return state.looks.pause(
                    isIdle: state.known.isEmpty && state.isClear && state.obstacle == nil)
            }
            guard let time, .now - begin < time else { return }
        }
    }

    /// Why no task can be handed over now.
    var obstacle: Problem? { state.withLock { $0.obstacle } }

    func name(_ label: WorkerLabel) -> String { "\(prefix)\(label.id)-\(label.attempt)" }

    /// From now on, a job of this name is no stray.
    func enter(_ name: String) { state.withLock { _ = $0.known.insert(name) } }

    func leave(_ name: String) {
        state.withLock { state in
            state.known.remove(name)
            state.placements[name] = nil
        }
    }

    func placement(of name: String) -> WorkerPlacement? { state.withLock { $0.placements[name] } }

    var placements: [WorkerPlacement] { state.withLock { Array($0.placements.values) } }

    /// Whether a task is suspended there; nil where that isn't known of the present.
    func isSuspended(_ name: String) -> Bool? { state.withLock { $0.looks.isSuspended(name) } }

    /// An srun could not reach the controller, which is noticed here only later.
    func lost(_ reason: String) { fail(reason) }

    // MARK: Asking

    /// What Slurm knows of a task, from a look that begins after this call: one look answers all who wait for one. Blocks.
    func answer(on name: String) -> Answer {
        let number = state.withLock { $0.looks.want() }
        while true {
            let answer: Answer? = state.withLock { state in
                if state.isClosed { return .unknown("The service stops.") }
                return state.looks.answer(name, number: number)
            }
            if let answer { return answer }
            usleep(20_000)
        }
    }

    /// - Returns: the service's jobs that have not ended; nil where the controller does not answer.
    @discardableResult
    private func look() -> [Entry]? {
        endDoomed()
        let begin = ContinuousClock.now
        let known = state.withLock { state in
            state.looks.begin()
            return state.known
        }
        let output = commands.run(
            "squeue", ["--noheader", "--states=all", "--user=\(getuid())", "--format=\(Entry.format)"])
        guard output.isSuccess else {
            state.withLock { $0.looks.end(failed: output.reason) }
            fail(output.reason)
            return nil
        }
        let all = output.text.split(separator: "\n").compactMap { Entry($0) }.filter {
            $0.name.hasPrefix(prefix)
        }
        let entries = all.filter { !$0.hasEnded }
        // Those that were entered while it was asked are of a look to come.
        let strays = entries.filter { !known.contains($0.name) && !isKnown($0.name) }
        state.withLock { state in
            for entry in entries where state.known.contains(entry.name) {
                guard var placement = entry.placement else { continue }
                if placement.state == .pending { placement.position = state.placements[entry.name]?.position }
                state.placements[entry.name] = placement
            }
            state.looks.end(all, begun: begin)
        }
        // One that completes on a node that is lost may stay for long.
        let isPatient = state.withLock { !$0.isClear } && .now - opened < Self.clearing
        let left = strays.filter { !$0.isCompleting || isPatient }
        if left.isEmpty { state.withLock { $0.isClear = true } }
        for stray in strays where !stray.isCompleting { end(stray.id) }
        endDoomed()
        settle(obstacle: left.isEmpty ? nil : Self.notClear(left.count))
        return entries
    }

    private func isKnown(_ name: String) -> Bool { state.withLock { $0.known.contains(name) } }

    /// Places of the service's tasks among all that wait in their partition.
    private func rank() {
        let output = commands.run(
            "squeue", ["--noheader", "--states=PENDING", "--sort=-p,i", "--format=%A|%P"])
        guard output.isSuccess else { return }
        var counts: [Substring: Int] = [:]
        var places: [Int: Int] = [:]
        for line in output.text.split(separator: "\n") {
            let fields = line.split(separator: "|", maxSplits: 1)
            guard fields.count == 2, let id = Int(fields[0]) else { continue }
            counts[fields[1], default: 0] += 1
            places[id] = counts[fields[1]]
        }
        let found = places
        state.withLock { state in
            for (name, placement) in state.placements where placement.state == .pending {
                state.placements[name]?.position = found[placement.job]
            }
        }
    }

    /// Cancels a job, with others at the next look.
    func end(_ job: Int) { state.withLock { _ = $0.doomed.insert(job) } }

    private func endDoomed() {
        let jobs = state.withLock { state in
            defer { state.doomed = [] }
            return state.doomed.sorted()
        }
        guard !jobs.isEmpty else { return }
        _ = commands.run("scancel", ["--quiet"] + jobs.map(String.init))
    }

    // MARK: The obstacle

    private func fail(_ reason: String) {
        // What is wrong already stays so.
        let isSilent = state.withLock { $0.looks.isSilent() || $0.obstacle != nil }
        guard isSilent else { return }
        settle(
            obstacle: Problem(
                .unavailable, code: "slurm-unavailable", title: "Slurm's controller does not answer",
                detail: reason, location: "executor",
                fix:
                    "Nothing is lost: tasks are handed over when it answers again. Look at slurmctld and munge, on this "
                    + "machine too."))
    }

    private func settle(obstacle: Problem?) {
        let isNew = state.withLock { state in
            defer { state.obstacle = obstacle }
            return state.obstacle?.code != obstacle?.code
        }
        if isNew { report(obstacle) }
    }

    private static let notAsked = Problem(
        .unavailable, code: "slurm-starting", title: "Slurm was not asked yet", detail: "The service starts.",
        fix: "Wait a moment.")

    private static func notClear(_ count: Int) -> Problem {
        Problem(
            .unavailable, code: "slurm-clearing", title: "Tasks of an earlier run are being ended",
            detail: "\(count) of them are still in Slurm's queue.", location: "executor",
            fix: "Wait. If it stays, look at squeue and at the nodes that are completing.")
    }
}
