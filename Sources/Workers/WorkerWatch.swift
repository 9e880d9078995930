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
    private var frame: Data
    private let confinement: WorkerConfinement
    private let group: WorkerCgroup?
    private let configuration: WorkerSupervisor.Configuration
    private let started = ContinuousClock.now
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
        process: consuming WorkerProcess, frame: Data, confinement: WorkerConfinement, group: WorkerCgroup?,
        configuration: WorkerSupervisor.Configuration
    ) {
        self.process = process
        self.frame = frame
        self.confinement = confinement
        self.group = group
        self.configuration = configuration
    }

    mutating func run(
        control: WorkerControl, kills: OutOfMemoryKills, receive: (WorkerMessage) throws -> Void
    ) -> WorkerExit {
        control.attach(process.pid)
        while !process.hasEnded {
            exchange(receive)
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
        return classify(status, cancelled: control.isCancelled, outOfMemory: kills.grew)
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
        if let cancelledAt = control.cancelledAt {
            process.closeInput()
            frame = Data()
            if now - cancelledAt >= configuration.cancelGrace { process.killGroup() }
        }
        if let last {
            if now - last.at >= configuration.exitGrace { process.killGroup() }
        } else if now - lastSign >= configuration.heartbeatTimeout {
            condemn(.hung(log: logText))
        }
        if let seconds = confinement.seconds, now - started >= .seconds(seconds) {
            condemn(.timeExceeded(seconds: seconds, log: logText))
        }
        if let bytes = confinement.memoryBytes, now - lastCount >= Self.countInterval {
            lastCount = now
            if let own = WorkerMemory.ownBytes(of: process.pid), own > bytes {
                condemn(.memoryExceeded(bytes: bytes, log: logText))
            }
        }
    }

    private mutating func condemn(_ exit: WorkerExit) {
        if verdict == nil { verdict = exit }
        process.killGroup()
    }

    private var logText: String { String(decoding: log, as: UTF8.self) }

    private func classify(_ status: WorkerProcess.Status, cancelled: Bool, outOfMemory: Bool) -> WorkerExit {
        if let verdict { return cancelled ? .cancelled : verdict }
        switch last?.message {
        case .finished: return .finished
        case .failed(let problem) where problem.category != .cancelled:
            return cancelled ? .cancelled : .failed(problem)
        default: break
        }
        if cancelled { return .cancelled }
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
