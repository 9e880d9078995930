import Foundation
import Support
import Synchronization
import WorkerProtocol

/// A `burn-worker` of the test's own.
final class WorkerProcess: Sendable {
    /// Beside the test's own program.
    static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "burn-worker")

    struct Result {
        var messages: [WorkerMessage]
        /// The exit status, or the signal's number negated.
        var status: Int32
        var log: String

        var isFinished: Bool { messages.last == .finished }
        var problem: Problem? { if case .failed(let problem) = messages.last { problem } else { nil } }
        /// What it said but for what depends on time: heartbeats, progress.
        var reports: [WorkerMessage] {
            messages.filter {
                switch $0 {
                case .heartbeat, .progress: false
                default: true
                }
            }
        }
    }

    private let process: Mutex<Process>
    private let input = Pipe()
    private let output = Pipe()
    private let log: String

    let task: WorkerTask

    init(_ task: WorkerTask) throws {
        try FileManager.default.createDirectory(
            atPath: task.outputDirectory, withIntermediateDirectories: true)
        self.task = task
        log = task.outputDirectory + "/worker.log"
        try Data().write(to: URL(filePath: log))
        let process = Process()
        process.executableURL = Self.program
        process.environment = WorkerEnvironment.libraries
        process.standardInput = input
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: URL(filePath: log))
        try process.run()
        self.process = Mutex(process)
        try input.fileHandleForWriting.write(contentsOf: Frame.encode(task))
    }

    deinit { send(SIGKILL) }

    func send(_ signal: Int32) {
        process.withLock { process in
            if process.isRunning { kill(process.processIdentifier, signal) }
        }
    }

    /// What the service does by ending, or to cancel.
    func closeInput() throws { try input.fileHandleForWriting.close() }

    /// Follows it to its end; `watch` sees every message as it comes.
    func wait(_ watch: (WorkerMessage) throws -> Void = { _ in }) throws -> Result {
        var decoder = Frame.Decoder<WorkerMessage>()
        var messages: [WorkerMessage] = []
        while true {
            let bytes = output.fileHandleForReading.availableData
            guard !bytes.isEmpty else { break }
            for message in try decoder.append(bytes) {
                messages.append(message)
                try watch(message)
            }
        }
        let status: Int32 = process.withLock { process in
            process.waitUntilExit()
            return process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus
        }
        return Result(
            messages: messages, status: status, log: try String(contentsOfFile: log, encoding: .utf8))
    }

    static func run(_ kind: WorkerTask.Kind, in directory: String) throws -> Result {
        try WorkerProcess(WorkerTask(kind: kind, outputDirectory: directory)).wait()
    }
}
