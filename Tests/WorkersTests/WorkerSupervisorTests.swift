import Findings
import Foundation
import Support
import Testing
import WorkerProtocol
import Workers

@Suite struct WorkerSupervisorTests {
    static var worker: String {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/ScriptedWorker"
    }

    final class Received: Sendable {
        private let list = Mutex<[WorkerMessage]>([])
        var messages: [WorkerMessage] { list.withLock { $0 } }
        func add(_ message: WorkerMessage) { list.withLock { $0.append(message) } }
    }

    struct Run {
        var exit: WorkerExit
        var messages: [WorkerMessage]
    }

    static func run(
        _ script: String, control: WorkerControl = WorkerControl(),
        configure: (inout WorkerSupervisor.Configuration) -> Void = { _ in },
        receive: @escaping @Sendable (WorkerMessage) throws -> Void = { _ in }
    ) async throws -> Run {
        let directory = NSTemporaryDirectory() + "burn-supervisor-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = directory + "/script"
        try ("[probe]\n" + script).write(toFile: file, atomically: true, encoding: .utf8)
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = worker
        configure(&configuration)
        let supervisor = try WorkerSupervisor(configuration: configuration)
        let received = Received()
        let exit = await supervisor.run(
            WorkerTask(kind: .probeModel(.init(model: file)), outputDirectory: directory), control: control
        ) { message in
            received.add(message)
            try receive(message)
        }
        return Run(exit: exit, messages: received.messages)
    }

    @Test func messagesArriveInOrderAndTheTaskFinishes() async throws {
        let run = try await Self.run("flood 500\nphase detection\nmetrics\nfinished")
        guard case .finished = run.exit else { return #expect(Bool(false), "\(run.exit)") }
        #expect(run.messages.count == 503)
        let fractions = run.messages.compactMap { if case .progress(let p) = $0 { p.fraction } else { nil } }
        #expect(fractions == fractions.sorted() && fractions.count == 500)
        #expect(run.messages[501] == .phaseFinished(.detection, round: 0, seconds: 1.5))
    }

    /// Dispatch has few threads for each quality of service; a worker that runs for hours must not hold one.
    @Test func manyWorkersRunAtOnceAndHoldNoThreadOfDispatch() async throws {
        let count = 3 * ProcessInfo.processInfo.activeProcessorCount + 4
        let started = Received()
        let controls = (0..<count).map { _ in WorkerControl() }
        try await withThrowingTaskGroup(of: WorkerExit.self) { group in
            for control in controls {
                group.addTask {
                    try await Self.run(
                        "metrics\nwait", control: control, receive: { started.add($0) }
                    ).exit
                }
            }
            for _ in 0..<1_200 where started.messages.count < count {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(started.messages.count == count, "all at the same time")
            for qos in [DispatchQoS.QoSClass.default, .utility] {
                await withCheckedContinuation { done in
                    DispatchQueue.global(qos: qos).async { done.resume() }
                }
            }
            for control in controls { control.cancel() }
            for try await exit in group {
                if case .cancelled = exit { continue }
                Issue.record("\(exit)")
            }
        }
    }

    @Test func theWorkersProblemComesThrough() async throws {
        let run = try await Self.run("fail unprocessable bad-model")
        #expect(run.exit.problem?.code == "bad-model")
        #expect(run.exit.problem?.category == .unprocessable)
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGABRT])
    func aCrashNamesItsSignalAndTheLastWords(signal: Int32) async throws {
        let run = try await Self.run("say tensor of doom\ndie \(signal)")
        guard case .crashed(signal, let log) = run.exit else {
            // The kernel's count of memory kills is the machine's: another process may raise it meanwhile.
            if case .outOfMemory = run.exit, signal == SIGKILL { return }
            return #expect(Bool(false), "\(run.exit)")
        }
        #expect(log.contains("tensor of doom"))
        #expect(run.exit.problem?.code == "worker-crashed")
        #expect(run.exit.problem?.category == .internal)
    }

    @Test func anEndWithoutLastFrameIsNoSuccess() async throws {
        guard case .exited(code: 0, _) = try await Self.run("metrics").exit else {
            return #expect(Bool(false))
        }
        guard case .exited(code: 7, _) = try await Self.run("exit 7").exit else {
            return #expect(Bool(false))
        }
    }

    @Test func silenceIsAHang() async throws {
        let run = try await Self.run("say stuck\nhang") { $0.heartbeatTimeout = .milliseconds(300) }
        guard case .hung(let log) = run.exit else { return #expect(Bool(false), "\(run.exit)") }
        #expect(log == "stuck")
    }

    @Test func garbageIsNoMessage() async throws {
        guard case .broken = try await Self.run("garbage\nhang").exit else { return #expect(Bool(false)) }
    }

    @Test func aFullLogDoesNotBlockTheWorkerAndIsBounded() async throws {
        guard case .exited(code: 3, let log) = try await Self.run("fill-log\nexit 3").exit else {
            return #expect(Bool(false))
        }
        #expect(log.count == 16 << 10)
    }

    @Test(arguments: ["wait", "stubborn\nhang", "hang"])
    func cancelStopsEvenAStubbornWorker(script: String) async throws {
        let control = WorkerControl()
        let run = try await Self.run("metrics\n" + script, control: control) {
            $0.cancelGrace = .milliseconds(300)
        } receive: { _ in
            control.cancel()
        }
        guard case .cancelled = run.exit else { return #expect(Bool(false), "\(run.exit)") }
    }

    @Test func cancelledBeforeTheStartIsNeverStarted() async throws {
        let control = WorkerControl()
        control.cancel()
        let run = try await Self.run("metrics\nfinished", control: control)
        guard case .cancelled = run.exit else { return #expect(Bool(false), "\(run.exit)") }
        #expect(run.messages.isEmpty)
    }

    @Test func aReceiverThatThrowsEndsTheWorker() async throws {
        struct Refusal: Error {}
        let run = try await Self.run("metrics\nhang") { _ in
        } receive: { _ in
            throw Refusal()
        }
        guard case .receiverFailed(let error) = run.exit else { return #expect(Bool(false), "\(run.exit)") }
        #expect(error is Refusal)
    }

    @Test func theWorkerHasItsOwnGroupThreeDescriptorsAndAMinimalEnvironment() async throws {
        let run = try await Self.run("surroundings\nfinished") { $0.environment = ["BURN_TEST": "1"] }
        #expect(
            run.messages == [
                .log("3 BURN_TEST,JE_ARROW_MALLOC_CONF,LC_ALL,OMP_WAIT_POLICY,SWIFT_BACKTRACE true")
            ])
    }

    @Test func tooMuchMemoryEndsTheWorkerAndIsSaid() async throws {
        let run = try await Self.run("fill 2000\nfinished") { $0.memoryBytes = 64 << 20 }
        guard case .memoryExceeded(let bytes, _) = run.exit else {
            return #expect(Bool(false), "\(run.exit)")
        }
        #expect(bytes == 64 << 20)
        #expect(run.exit.problem?.code == "worker-memory-exceeded")
        #expect(run.exit.problem?.category == .unprocessable, "it would happen again")
        guard
            case .finished = try await Self.run("fill 40\nfinished", configure: { $0.memoryBytes = 1 << 30 })
                .exit
        else { return #expect(Bool(false)) }
    }

    @Test func tooMuchTimeEndsTheWorkerAndIsSaid() async throws {
        let run = try await Self.run("wait") { $0.importSeconds = 1 }
        guard case .timeExceeded(seconds: 1, _) = run.exit else {
            return #expect(Bool(false), "\(run.exit)")
        }
        #expect(run.exit.problem?.code == "worker-time-exceeded")
        #expect(run.exit.problem?.category == .unprocessable)
    }

    @Test func theWorkerIsToldItsLimits() async throws {
        let run = try await Self.run("limits\nfinished") {
            $0.sandbox = .required
            $0.memoryBytes = 1 << 30
            $0.jobSeconds = 7
            $0.importSeconds = 60
            $0.fileBytes = 1 << 20
        }
        #expect(run.messages == [.log("required 1073741824 60 1048576")])
    }

    @Test func aMissingProgramIsSaidAtOnce() {
        #expect(throws: Problem.self) { _ = try Self.supervisor("/nonexistent/burn-worker") }
    }

    static func supervisor(_ path: String) throws -> WorkerSupervisor {
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = path
        return try WorkerSupervisor(configuration: configuration)
    }

    /// In a process of its own, where nothing else opens files or starts children.
    @Test(arguments: ["finished", "die 9", "garbage", "exit 1"])
    func manyRunsLeaveNoDescriptorAndNoZombie(script: String) throws {
        let directory = NSTemporaryDirectory() + "burn-supervisor-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try "[probe]\n\(script)".write(toFile: directory + "/script", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: Self.worker)
        process.arguments = ["supervise", directory]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == "0 false")
    }
}
