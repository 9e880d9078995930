import ArtifactStore
import Findings
import Foundation
import Logging
import Support
import WorkerProtocol
import Workers

/// Has workers look at uploads before they are kept: what a file holds beyond its first bytes is read there, in a
/// process that a flaw in a reader ends alone.
///
/// Only so many look at the same time; the others wait in the order of their arrival. Whoever does not wait any more (its
/// task is cancelled) gives its place up, and its worker is stopped.
public actor UploadChecker {
    public struct Configuration: Sendable {
        /// Workers that look at the same time.
        public var workers = 2
        /// Uploads that wait for one; more are refused (429).
        public var mostWaiting = 512

        public init() {}
    }

    public struct Status: Hashable, Sendable {
        public var running: Int
        public var waiting: Int
    }

    private let artifacts: ArtifactStore
    private let supervisor: WorkerSupervisor
    private let configuration: Configuration
    private let logger: Logger
    private var running = 0
    /// The turn is false for whoever gets none any more.
    private var waiting: [(number: Int, turn: CheckedContinuation<Bool, Never>)] = []
    private var arrived = 0
    private var controls: [Int: WorkerControl] = [:]
    private var isStopping = false

    package init(
        artifacts: ArtifactStore, supervisor: WorkerSupervisor, configuration: Configuration,
        logger: Logger
    ) {
        self.artifacts = artifacts
        self.supervisor = supervisor
        self.configuration = configuration
        self.logger = logger
    }

    package func start() {
        isStopping = false
        supervisor.openReserve()
    }

    /// Stops the workers; whoever waits is told.
    package func shutdown() {
        isStopping = true
        supervisor.closeReserve()
        for control in controls.values { control.cancel() }
        for waiter in waiting { waiter.turn.resume(returning: false) }
        waiting = []
    }

    public var status: Status { Status(running: running, waiting: waiting.count) }

    /// - Returns: what a model is, where its graph is at hand.
    /// - Throws: `Problem` that says what is wrong with the file; `upload-check-died` (unprocessable) where its worker died
    ///   of it; `checks-busy` (rateLimited), `service-stopping`, `check-not-started` (unavailable), which say nothing of the
    ///   file; `CancellationError`.
    public func check(_ task: WorkerTask.CheckUpload) async throws -> ModelSummary? {
        arrived += 1
        let number = arrived
        let control = WorkerControl()
        return try await withTaskCancellationHandler {
            try await takeTurn(number)
            controls[number] = control
            defer { endTurn(number) }
            try Task.checkCancellation()
            if isStopping { throw Self.stopping }
            return try await run(task, control)
        } onCancel: {
            control.cancel()
            Task { await giveUp(number) }
        }
    }

    private func takeTurn(_ number: Int) async throws {
        guard !isStopping else { throw Self.stopping }
        guard running >= configuration.workers else {
            running += 1
            return
        }
        guard waiting.count < configuration.mostWaiting else {
            throw Problem(
                .rateLimited, code: "checks-busy", title: "Too many uploads are being checked",
                detail: "\(waiting.count) wait for their check.", fix: "Send the file again in some seconds.")
        }
        guard await withCheckedContinuation({ waiting.append((number, $0)) }) else {
            if isStopping { throw Self.stopping }
            throw CancellationError()
        }
    }

    private func endTurn(_ number: Int) {
        controls[number] = nil
        if waiting.isEmpty { running -= 1 } else { waiting.removeFirst().turn.resume(returning: true) }
    }

    /// Nobody waits for this one any more.
    private func giveUp(_ number: Int) {
        guard let place = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: place).turn.resume(returning: false)
    }

    /// The code of the one failure of the service's that the file may have caused.
    static let outOfMemory = "check-out-of-memory"

    private static let stopping = Problem(
        .unavailable, code: "service-stopping", title: "The service is stopping",
        detail: "The file was not checked.", fix: "Send it again when the service is back.")

    private func run(_ task: WorkerTask.CheckUpload, _ control: WorkerControl) async throws -> ModelSummary? {
        let found = Mutex(ModelSummary?.none)
        let exit = try await artifacts.inScratch { [supervisor] scratch in
            await supervisor.runAtOnce(
                WorkerTask(kind: .checkUpload(task), outputDirectory: scratch), control: control
            ) { message in
                if case .uploadChecked(let summary) = message { found.withLock { $0 = summary } }
            }
        }
        switch exit {
        case .finished: return found.withLock { $0 }
        case .failed(let problem): throw problem
        case .cancelled:
            if isStopping { throw Self.stopping }
            throw CancellationError()
        case .outOfMemory:
            // The machine had none left: of this file or of something else.
            throw Problem(
                .internal, code: Self.outOfMemory, title: "The file could not be checked",
                detail: "The kernel ended the process that read it for want of memory.",
                fix: "Send it again later.")
        case .notStarted, .receiverFailed, .lost:
            throw Problem(
                .unavailable, code: "check-not-started", title: "The file could not be checked now",
                detail: exit.problem?.detail ?? "No worker could be started.",
                fix: "Send it again; if that fails too, look into the service's log.")
        case .crashed(let signal, _):
            throw died("Signal \(signal) (\(String(cString: strsignal(signal))))", exit)
        case .memoryExceeded(let bytes, _):
            throw died("It needed more than \(bytes >> 20) MiB of memory (limits.check_memory)", exit)
        case .timeExceeded(let seconds, _):
            throw died("It needed more than \(seconds) seconds (limits.check_seconds)", exit)
        case .hung: throw died("It gave no sign of life any more", exit)
        case .exited(let code, _): throw died("It ended with code \(code)", exit)
        case .broken: throw died("Its answer was none", exit)
        }
    }

    /// The worker's last words are for the log: whoever made the file may have chosen them.
    private func died(_ cause: String, _ exit: WorkerExit) -> Problem {
        logger.warning("a check died", metadata: ["problem": "\(String(describing: exit.problem))"])
        return Problem(
            .unprocessable, code: "upload-check-died", title: "The file cannot be checked",
            detail: "The process that read it did not come to its end. \(cause).",
            fix: "If other programs read the file, this is a fault of the service: report it with the file.")
    }
}
