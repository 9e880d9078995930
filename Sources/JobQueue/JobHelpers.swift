import ArtifactStore
import Dispatch
import Findings
import Foundation
import Logging
import Support
import WorkerProtocol
import Workers

/// The helpers of one attempt of a job: workers that take parts of its stages. Carries what the job's own worker and its
/// helpers say to each other, and ends them with the attempt.
///
/// A helper that fails is no failure of the job, whose own worker has the part done again.
final class JobHelpers: HelperSlots.Employer {
    private struct Helper {
        var control: WorkerControl
        /// Whether it has said that it is there.
        var isReady = false
        /// Parts that it has not finished.
        var parts: Set<Int> = []
        var wasReleased = false
    }

    private struct State {
        var helpers: [Int: Helper] = [:]
        var number = 0
        /// Helpers that ended by themselves.
        var failures = 0
        var isOver = false
        /// What one is expected to take; nil where it turned out to be too little.
        var estimate: JobEstimate?
    }

    private let label: WorkerLabel
    private let task: WorkerTask.Analyse
    private let sharing: WorkerTask.Sharing
    private let main: WorkerControl
    private let supervisor: WorkerSupervisor
    private let artifacts: ArtifactStore
    private let slots: HelperSlots
    private let metrics: JobMetrics
    private let logger: Logger
    private let state: Mutex<State>
    private let running = DispatchGroup()

    /// Helpers of an attempt that may fail before it goes on alone.
    private static let mostFailures = 8
    /// Parts that a helper has at a time; a worker that asks for more is none of ours.
    private static let mostParts = 4

    /// - Parameters:
    ///   - task: of the job's own worker.
    ///   - estimate: of the whole job.
    ///   - main: of that worker.
    init(
        of label: WorkerLabel, _ task: WorkerTask.Analyse, _ sharing: WorkerTask.Sharing,
        estimate: JobEstimate? = nil, main: WorkerControl, supervisor: WorkerSupervisor,
        artifacts: ArtifactStore, slots: HelperSlots,
        metrics: JobMetrics, logger: Logger
    ) {
        self.label = label
        self.task = task
        // A helper trains nothing.
        state = Mutex(State(estimate: estimate?.ofScan))
        self.sharing = sharing
        self.main = main
        self.supervisor = supervisor
        self.artifacts = artifacts
        self.slots = slots
        self.metrics = metrics
        self.logger = logger
        slots.enter(self)
    }

    /// Ends all helpers, and waits for it.
    func end() {
        slots.leave(self)
        let controls = state.withLock { state in
            state.isOver = true
            return state.helpers.values.map(\.control)
        }
        for control in controls { control.cancel() }
        running.wait()
        // What is left goes with the job's other files.
        do { try artifacts.deletePartsDirectories(label.id) } catch {
            logger.warning("parts of a job can't be removed", metadata: ["error": "\(error)"])
        }
    }

    // MARK: The job's own worker

    /// - Returns: whether the message was about helpers.
    /// - Throws: `Problem` `worker-flood`.
    func take(_ message: WorkerMessage) throws -> Bool {
        switch message {
        case .seeking(let wanted):
            let isFit = state.withLock { $0.failures < Self.mostFailures }
            slots.seek(isFit ? min(max(0, wanted), sharing.helpers) : 0, for: self)
        case .part(let part, let number): try give(part, to: number)
        case .dismissed(let number):
            state.withLock { state in
                // It would be started again, and be of as little use.
                state.failures += 1
                state.helpers[number]?.control.cancel()
            }
        default: return false
        }
        return true
    }

    private func give(_ part: WorkerPart, to number: Int) throws {
        let control = try state.withLock { state -> WorkerControl? in
            // It may have ended just now, which its own worker is told.
            guard let helper = state.helpers[number] else { return nil }
            guard helper.parts.count < Self.mostParts, !helper.parts.contains(part.number) else {
                throw Problem(
                    .unprocessable, code: "worker-flood", title: "The worker sent more than any task needs",
                    detail: "It was stopped: it gave a helper more parts than that could hold.",
                    fix: "Do not trust this input. If it is your own, report it with the service's version.")
            }
            state.helpers[number]?.parts.insert(part.number)
            return helper.control
        }
        try control?.send(.part(part))
    }

    // MARK: Helpers

    func engage() {
        let control = WorkerControl()
        let number = state.withLock { state -> Int? in
            guard !state.isOver, state.failures < Self.mostFailures else { return nil }
            state.number += 1
            state.helpers[state.number] = Helper(control: control)
            running.enter()
            return state.number
        }
        guard let number else { return slots.ended(of: self, wasTold: false, isLast: true) }
        OwnThread.run("burn.helper") { [self] in
            let exit = run(number, control)
            conclude(number, exit)
            running.leave()
        }
    }

    func release() {
        state.withLock { state in
            // The newest has the least to lose.
            let staying = state.helpers.filter { !$0.value.wasReleased }
            guard let number = staying.keys.max() else { return }
            state.helpers[number]?.wasReleased = true
            state.helpers[number]?.control.cancel()
        }
    }

    private func run(_ number: Int, _ control: WorkerControl) -> WorkerExit {
        do {
            let directory = try artifacts.makePartsDirectory(number, in: sharing.folder)
            var job = task
            (job.trusted, job.reviews, job.sharing) = (nil, nil, nil)
            var task = WorkerTask(kind: .help(job), outputDirectory: directory)
            task.estimate = state.withLock { $0.estimate }
            // The job's own worker has the first. On a cluster, the scheduler gives each task its own.
            if !supervisor.configuration.executor.isRemote { task.gpu = number }
            return supervisor.runBlocking(
                task, for: WorkerLabel(id: "\(label.id)-\(label.attempt)-h", attempt: number),
                control: control
            ) { try take($0, from: number) }
        } catch { return .receiverFailed(error) }
    }

    /// What a helper says goes to the job's own worker alone.
    private func take(_ message: WorkerMessage, from number: Int) throws {
        switch message {
        case .helping(let machine):
            let isNew = state.withLock { state in
                defer { state.helpers[number]?.isReady = true }
                return state.helpers[number]?.isReady == false
            }
            if isNew { try main.send(.helper(number, machine: String(machine.prefix(500)))) }
        case .partFinished(let end):
            let isItsOwn = state.withLock { $0.helpers[number]?.parts.remove(end.number) != nil }
            guard isItsOwn else { return }
            metrics.partEnded("finished")
            try main.send(.partFinished(helper: number, end))
        case .log(let text):
            logger.info("helper", metadata: ["number": "\(number)", "message": "\(text.prefix(1_000))"])
        default: break
        }
    }

    private func conclude(_ number: Int, _ exit: WorkerExit) {
        metrics.workerEnded(exit)
        let (helper, isOver) = state.withLock { state in
            (state.helpers.removeValue(forKey: number), state.isOver)
        }
        guard let helper else { return }
        if exit.wantsMore { state.withLock { $0.estimate = nil } }
        for _ in helper.parts { metrics.partEnded("lost") }
        if !isOver, !helper.control.isCancelled {
            state.withLock { $0.failures += 1 }
            logger.warning(
                "a helper was lost, and its parts are done again",
                metadata: ["number": "\(number)", "problem": "\(String(describing: exit.problem))"])
        }
        if helper.isReady, !isOver {
            // Of a number: it can be encoded.
            do { try main.send(.helperEnded(number)) } catch { main.cancel() }
        }
        slots.ended(
            of: self, wasTold: helper.wasReleased,
            isLast: state.withLock { $0.failures >= Self.mostFailures })
    }
}
