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
        var obstacle: Problem? = SlurmQueue.notAsked
        /// Whether a look found nothing that is left of earlier.
        var isClear = false
        var isClosed = false
    }

    private static let pause: Duration = .seconds(1)
    /// When nothing runs.
    private static let longPause: Duration = .seconds(5)
    private static let rankPause: Duration = .seconds(5)
    /// How long tasks of an earlier run may take to end on their nodes.
    private static let clearing: Duration = .seconds(30)

    private let commands: SlurmCommands
    /// What the names of the service's tasks begin with.
    let prefix: String
    private let report: @Sendable (Problem?) -> Void
    private let state = Mutex(State())
    private let opened = ContinuousClock.now

    /// - Parameter report: told when the controller stops answering, and with nil when it does again.
    init(commands: SlurmCommands, prefix: String, report: @escaping @Sendable (Problem?) -> Void) {
        self.commands = commands
        self.prefix = prefix
        self.report = report
    }

    /// Asks from now on, until `close`.
    func open() {
        state.withLock { $0.isClosed = false }
        OwnThread.run("burn.slurm") { [self] in
            var ranked = ContinuousClock.now - Self.rankPause
            while !state.withLock({ $0.isClosed }) {
                let hasWaiting = look()
                if hasWaiting, .now - ranked >= Self.rankPause {
                    rank()
                    ranked = .now
                }
                let isIdle = state.withLock { $0.known.isEmpty && $0.isClear && $0.obstacle == nil }
                pause(isIdle ? Self.longPause : Self.pause)
            }
        }
    }

    func close() { state.withLock { $0.isClosed = true } }

    private func pause(_ time: Duration) {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end, !state.withLock({ $0.isClosed }) { usleep(100_000) }
    }

    /// Why no task can be handed over now.
    var obstacle: Problem? { state.withLock { $0.obstacle } }

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

    /// An srun could not reach the controller, which is noticed here only later.
    func lost(_ reason: String) { fail(reason) }

    // MARK: Asking

    /// A job in `squeue`'s words.
    struct Entry: Hashable, Sendable {
        var id: Int
        var state: String
        var reason: String
        var node: String
        var name: String

        /// The name last: it may hold anything.
        static let format = "%A|%T|%r|%N|%j"

        init?(_ line: Substring) {
            let fields = line.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false).map(
                String.init)
            guard fields.count == 5, let id = Int(fields[0]) else { return nil }
            self.id = id
            (state, reason, node, name) = (fields[1], fields[2], fields[3], fields[4])
        }

        /// Whether it neither waits nor runs nor will again.
        var hasEnded: Bool {
            ![
                "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING",
                "STOPPED",
                "RESIZING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD",
            ]
            .contains(state)
        }

        /// Where it ran, also when it has ended.
        var seen: WorkerPlacement {
            WorkerPlacement(job: id, state: .running, node: node.isEmpty ? nil : node)
        }

        var placement: WorkerPlacement? {
            switch state {
            case "PENDING", "CONFIGURING":
                WorkerPlacement(job: id, state: .pending, reason: reason == "None" ? nil : reason)
            case "RUNNING", "COMPLETING", "SUSPENDED":
                WorkerPlacement(
                    job: id, state: .running, reason: state == "SUSPENDED" ? "Suspended" : nil,
                    node: node.isEmpty ? nil : node)
            default: nil
            }
        }
    }

    /// - Returns: whether tasks of the service wait there.
    @discardableResult
    private func look() -> Bool {
        let known = state.withLock { $0.known }
        let output = commands.run(
            "squeue", ["--noheader", "--user=\(getuid())", "--format=\(Entry.format)"])
        guard output.isSuccess else {
            fail(output.reason)
            return false
        }
        let entries = output.text.split(separator: "\n").compactMap { Entry($0) }.filter {
            $0.name.hasPrefix(prefix)
        }
        // Those that were entered while it was asked are of a look to come.
        let strays = entries.filter { !known.contains($0.name) && !isKnown($0.name) }
        state.withLock { state in
            for entry in entries where state.known.contains(entry.name) {
                guard var placement = entry.placement else { continue }
                if placement.state == .pending { placement.position = state.placements[entry.name]?.position }
                state.placements[entry.name] = placement
            }
        }
        if !strays.isEmpty { cancel(strays.filter { $0.state != "COMPLETING" }.map(\.id)) }
        // One that completes on a node that is lost may stay for long.
        let isPatient = state.withLock { !$0.isClear } && .now - opened < Self.clearing
        let left = strays.filter { $0.state != "COMPLETING" || isPatient }
        if left.isEmpty { state.withLock { $0.isClear = true } }
        settle(obstacle: left.isEmpty ? nil : Self.notClear(left.count))
        return entries.contains { $0.state == "PENDING" }
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

    /// Everything that Slurm still knows of a name; nil where the controller does not answer.
    func entries(named name: String) -> [Entry]? {
        let output = commands.run(
            "squeue",
            [
                "--noheader", "--states=all", "--user=\(getuid())", "--name=\(name)",
                "--format=\(Entry.format)",
            ])
        guard output.isSuccess else { return nil }
        return output.text.split(separator: "\n").compactMap { Entry($0) }.filter { $0.name == name }
    }

    func cancel(_ jobs: [Int]) {
        guard !jobs.isEmpty else { return }
        _ = commands.run("scancel", ["--quiet"] + jobs.map(String.init))
    }

    // MARK: The obstacle

    private func fail(_ reason: String) {
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
