import Findings
import Foundation
import WorkerProtocol

/// Runs one task in a `burn-worker` process and follows its messages.
enum WorkerRun {
    static func run(
        _ task: WorkerTask, program: URL, progress: (WorkerProgress) -> Void = { _ in }
    ) async throws {
        try FileManager.default.createDirectory(
            atPath: task.outputDirectory, withIntermediateDirectories: true)
        let log = URL(filePath: task.outputDirectory).appending(path: "worker.log")
        try Data().write(to: log)
        let input = Pipe()
        let output = Pipe()
        let process = Process()
        process.executableURL = program
        process.environment = ["OMP_WAIT_POLICY": "PASSIVE"]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        // The pipe stays open: its end would tell the worker to stop.
        try input.fileHandleForWriting.write(contentsOf: Frame.encode(task))

        var decoder = Frame.Decoder<WorkerMessage>()
        var isFinished = false
        for await bytes in chunks(of: output.fileHandleForReading) {
            for message in try decoder.append(bytes) {
                switch message {
                case .progress(let value): progress(value)
                case .failed(let problem): throw problem
                case .finished: isFinished = true
                default: break
                }
            }
        }
        process.waitUntilExit()
        guard isFinished else {
            let text = try String(contentsOf: log, encoding: .utf8)
            throw DemoFailure(
                "burn-worker ended with status \(process.terminationStatus). It wrote:\n\(text)")
        }
        try input.fileHandleForWriting.close()
    }

    /// Blocking reads, away from the cooperative pool.
    private static func chunks(of file: FileHandle) -> AsyncStream<[UInt8]> {
        let descriptor = file.fileDescriptor
        return AsyncStream { continuation in
            DispatchQueue(label: "burn-demo.worker-output").async {
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = read(descriptor, &buffer, buffer.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { break }
                    continuation.yield(Array(buffer[..<count]))
                }
                continuation.finish()
            }
        }
    }
}
