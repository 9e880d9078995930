import Foundation
import Support
import WorkerProtocol

/// Feeds, reads and watches one worker process until it is gone. All on one thread.
struct WorkerWatch: ~Copyable {
    private static let pollMilliseconds: Int32 = 50
    private static let countInterval: Duration = .milliseconds(50)
    /// The part of standard error that is kept, for reports.
    private static let logBytes = 16 << 10

    private var process: WorkerProcess
    private let task: any WorkerRun
    private var frame: Data
    private let confinement: WorkerConfinement
    private let group: WorkerCgroup?
    private let configuration: WorkerSupervisor.Configuration
    /// When the worker itself is known to have begun: at once on this machine, elsewhere with its first sign.
    private var started: ContinuousClock.Instant?
    /// When it was said to run elsewhere.
    private var placed: ContinuousClock.Instant?
    private var hasSignalled = false
    /// When it was last looked at whether it goes on.
    private var lastLook = ContinuousClock.now
    /// When its memory was last counted.
    private var lastCount = ContinuousClock.now
    private var budget = MessageBudget()
    private var decoder = Frame.Decoder<WorkerMessage>()
    private var outputIsOpen = true
    private var errorsAreOpen = true
    private var log = Data()
    private var lastSign = ContinuousClock.now
    /// The last frame, `.finished` or `.failed`.
    private var last: (message: WorkerMessage, at: ContinuousClock.Instant)?
    /// Why the worker was killed, where that decides the result.
    private var verdict: WorkerExit?

    init(
        process: consuming WorkerProcess, run: any WorkerRun, frame: Data, confinement: WorkerConfinement,
        group: WorkerCgroup?,
        configuration: WorkerSupervisor.Configuration
    ) {
        self.process = process
        task = run
        self.frame = frame
        self.confinement = confinement
        self.group = group
        self.configuration = configuration
    }

    mutating func run(
        control: WorkerControl, kills: OutOfMemoryKills, place: (WorkerPlacement) throws -> Void,
        receive: (WorkerMessage) throws -> Void
    ) -> WorkerExit {
        if task.isLocal { started = .now }
        control.attach(process.pid, signals: task.isLocal)
        while !process.hasEnded {
            let notices = control.takeNotices()
            if process.input >= 0 { frame += notices }
            exchange(receive)
            tell(place)
            enforce(control)
        }
        // What it wrote before it ended is still in the pipes.
        while takeOutput(receive) {}
        while takeErrors() {}
        if budget.droppedLines > 0, verdict == nil {
            do { try receive(.log("\(budget.droppedLines) more lines were not kept")) } catch {
                condemn(.receiverFailed(error))
            }
        }
        control.detach()
        process.killGroup()
        let status = process.reap()
        let end = WorkerEnd(
            status: status, words: logText, knowledge: knowledge(status, cancelled: control.isCancelled))
        let known = task.conclude(end) { control.isCancelled }
        // Where it was that was too short to be seen there.
        let isOpen = end.knowledge == .open && !control.isCancelled
        if end.knowledge == .complete || isOpen, let news = task.news() {
            do { try place(news) } catch { verdict = .receiverFailed(error) }
        }
        return classify(status, known, cancelled: control.isCancelled, outOfMemory: kills.grew)
    }

    /// Passes on where the task is.
    private mutating func tell(_ place: (WorkerPlacement) throws -> Void) {
        guard verdict == nil, last == nil, let news = task.news() else { return }
        if news.state == .running, placed == nil { placed = .now }
        do { try place(news) } catch { condemn(.receiverFailed(error)) }
    }

    /// Waits a moment for any of the pipes, then moves what can be moved.
    private mutating func exchange(_ receive: (WorkerMessage) throws -> Void) {
        // A negative descriptor is passed over by poll.
        var polled = [
            pollfd(fd: outputIsOpen ? process.output : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errorsAreOpen ? process.errors : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: frame.isEmpty ? -1 : process.input, events: Int16(POLLOUT), revents: 0),
        ]
        // With both pipes closed it is about to end.
        let patience = outputIsOpen || errorsAreOpen ? Self.pollMilliseconds : 2
        guard poll(&polled, nfds_t(polled.count), patience) > 0 else { return }
        if polled[0].revents != 0 { _ = takeOutput(receive) }
        if polled[1].revents != 0 { _ = takeErrors() }
        if polled[2].revents != 0 { feed() }
    }

    private mutating func feed() {
        let descriptor = process.input
        let count = frame.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            frame = Data(frame.dropFirst(count))
        } else if errno != EAGAIN, errno != EINTR {
            // It closed its end; how it goes on is seen elsewhere.
            frame = Data()
            process.closeInput()
        }
    }

    /// - Returns: true when there may be more at once.
    private mutating func takeOutput(_ receive: (WorkerMessage) throws -> Void) -> Bool {
        guard outputIsOpen else { return false }
        switch WorkerProcess.read(process.output) {
        case .nothing: return false
        case .end:
            outputIsOpen = false
            return false
        case .bytes(let bytes):
            take(bytes, receive)
            lastSign = .now
            if started == nil { started = .now }
            return true
        }
    }

    private mutating func take(_ bytes: Data, _ receive: (WorkerMessage) throws -> Void) {
        guard verdict == nil, last == nil else { return }
        let messages: [WorkerMessage]
        do { messages = try decoder.append(bytes) } catch {
            return condemn(.broken(reason: "\(error)", log: logText))
        }
        for message in messages {
            do {
                guard try budget.admit(message) else { continue }
                try message.requirePlainNames()
            } catch let problem as Problem {
                return condemn(.failed(problem))
            } catch { return condemn(.receiverFailed(error)) }
            switch message {
            case .heartbeat: continue
            case .finished, .failed:
                last = (message, .now)
                return
            default:
                do { try receive(message) } catch { return condemn(.receiverFailed(error)) }
            }
        }
    }

    private mutating func takeErrors() -> Bool {
        guard errorsAreOpen else { return false }
        switch WorkerProcess.read(process.errors) {
        case .nothing: return false
        case .end:
            errorsAreOpen = false
            return false
        case .bytes(let bytes):
            log.append(bytes)
            if log.count > Self.logBytes { log = Data(log.suffix(Self.logBytes)) }
            return true
        }
    }

    private mutating func enforce(_ control: WorkerControl) {
        let now = ContinuousClock.now
        passOver(now - lastLook)
        lastLook = now
        if let cancelledAt = control.cancelledAt {
            process.closeInput()
            frame = Data()
            if task.isLocal {
                if now - cancelledAt >= configuration.cancelGrace { process.killGroup() }
            } else {
                stopElsewhere(cancelledAt, now)
            }
        }
        if let last {
            if now - last.at >= configuration.exitGrace { process.killGroup() }
        } else if isSilent(now) {
            condemn(.hung(log: logText))
        }
        if let seconds = confinement.seconds, let started, now - started >= .seconds(seconds) {
            condemn(.timeExceeded(seconds: seconds, log: logText))
        }
        if task.isLocal, let bytes = confinement.memoryBytes, now - lastCount >= Self.countInterval {
            lastCount = now
            if let own = WorkerMemory.ownBytes(of: process.pid), own > bytes {
                condemn(.memoryExceeded(bytes: bytes, log: logText))
            }
        }
    }

    /// Time in which the worker was stopped counts neither as silence nor as work. Where nobody can say whether it was, it
    /// is no silence.
    private mutating func passOver(_ time: Duration) {
        let isSuspended = task.isSuspended
        if isSuspended == false { return }
        lastSign += time
        placed = placed.map { $0 + time }
        if isSuspended == true { started = started.map { $0 + time } }
    }

    private func isSilent(_ now: ContinuousClock.Instant) -> Bool {
        if started != nil { return now - lastSign >= configuration.heartbeatTimeout }
        // A node that is slow to start programs has as much again.
        return placed.map { now - $0 >= configuration.heartbeatTimeout * 2 } ?? false
    }

    /// Its input has ended, which asks the worker to stop. What carries the pipes is asked a little later, at once where no
    /// worker runs yet, and killed when it does not listen.
    private mutating func stopElsewhere(
        _ cancelledAt: ContinuousClock.Instant, _ now: ContinuousClock.Instant
    ) {
        if !hasSignalled, started == nil || now - cancelledAt >= configuration.cancelGrace {
            hasSignalled = true
            kill(process.pid, SIGTERM)
        }
        if now - cancelledAt >= configuration.cancelGrace + .seconds(5) { kill(process.pid, SIGKILL) }
    }

    private mutating func condemn(_ exit: WorkerExit) {
        if verdict == nil { verdict = exit }
        // srun has a helper in its group, which ends the task where srun can't any more.
        if task.isLocal { process.killGroup() } else { kill(process.pid, SIGKILL) }
    }

    private var logText: String { String(decoding: log, as: UTF8.self) }

    private func knowledge(_ status: WorkerStatus, cancelled: Bool) -> WorkerEnd.Knowledge {
        if case .hung? = verdict { return .silent }
        if verdict != nil { return .decided }
        switch last?.message {
        // It was told to stop, and if that was not meant here, it is open who told it.
        case .failed(let problem) where problem.category == .cancelled && !cancelled: return .open
        case nil: return .open
        default: break
        }
        if case .signalled = status { return .decided }
        return .complete
    }

    private func classify(
        _ status: WorkerStatus, _ known: WorkerExit?, cancelled: Bool, outOfMemory: Bool
    ) -> WorkerExit {
        if let verdict {
            if cancelled { return .cancelled }
            if case .hung = verdict, case .lost(let loss)? = known, loss.explainsSilence {
                return .lost(loss)
            }
            return verdict
        }
        switch last?.message {
        case .finished: return .finished
        case .failed(let problem) where problem.category != .cancelled:
            return cancelled ? .cancelled : .failed(problem)
        default: break
        }
        if cancelled { return .cancelled }
        if let known { return known }
        if let bytes = confinement.memoryBytes, group?.ranOutOfMemory == true {
            return .memoryExceeded(bytes: bytes, log: logText)
        }
        return switch status {
        case .signalled(SIGXCPU): .timeExceeded(seconds: confinement.seconds ?? 0, log: logText)
        case .exited(let code): .exited(code: code, log: logText)
        case .signalled(SIGKILL) where outOfMemory: .outOfMemory(log: logText)
        case .signalled(let signal): .crashed(signal: signal, log: logText)
        }
    }
}
