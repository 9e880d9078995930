import AttackBench
import Findings
import Foundation
import Support
import Workers

/// Runs `burnd purify`, the program that users run, for models of the benchmark.
struct Purification: Sendable {
    /// The `burnd` beside this program.
    static let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "burnd")

    /// Stops what is running.
    var control: WorkerControl
    /// Options of `burnd purify`.
    var options: [String]

    private static let own = ["-o", "--output", "--samples", "--json"]
    private static let failure: Int32 = 1
    /// What `burnd purify` exits with where it came to a verdict.
    private static let verdicts: Set<Int32> = [0, 3, 4, 5]

    /// What `burnd` says against options, before any model is trained; nil where it takes them.
    static func fault(of options: [String]) throws -> String? {
        if let taken = options.first(where: { option in
            own.contains { option == $0 || option.hasPrefix($0 + "=") }
        }) {
            return "\(taken) is for the benchmark to give."
        }
        let scratch = FileManager.default.temporaryDirectory.appending(
            path: "burn-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        // There is no such model: burnd ends when it has taken its arguments.
        let missing = scratch.appending(path: "none").path
        let errors = scratch.appending(path: "errors.txt")
        let process = try start(
            [missing, missing] + options + ["--output", missing], output: nil, errors: errors)
        process.waitUntilExit()
        guard process.terminationStatus != failure else { return nil }
        let text = try String(contentsOf: errors, encoding: .utf8)
        let line =
            text.split(separator: "\n").first.map(String.init) ?? "`burnd purify` does not run with them."
        return line.hasPrefix("Error: ") ? String(line.dropFirst(7)) : line
    }

    /// - Parameter scratch: an empty folder.
    /// - Throws: `Problem` where there is no verdict; `burnd` has said why on standard error.
    func run(model: URL, dataset: URL, arguments: [String], scratch: URL) async throws -> PurificationOutcome
    {
        let (purified, samples, answer) = (
            scratch.appending(path: "purified.pt2"), scratch.appending(path: "samples.json"),
            scratch.appending(path: "answer.json")
        )
        let process = try Self.start(
            [model.path, dataset.path] + arguments + options
                + ["--output", purified.path, "--samples", samples.path, "--json"],
            output: answer, errors: nil, temporaryFolder: scratch)
        while process.isRunning {
            if control.isCancelled { process.terminate() }
            // The process is waited for even when the task is cancelled.
            try? await Task.sleep(for: .milliseconds(100))
        }
        guard !control.isCancelled else {
            throw Problem(
                .cancelled, code: "cancelled", title: "Cancelled", detail: "A signal stopped the work.")
        }
        guard process.terminationReason == .exit, Self.verdicts.contains(process.terminationStatus) else {
            throw Problem(
                .unprocessable, code: "purification-failed", title: "The purification failed",
                detail: "burnd purify ended with \(process.terminationStatus); it says above why.",
                location: model.path)
        }
        let found = try JSONDecoder().decode(Answer.self, from: Data(contentsOf: answer))
        return PurificationOutcome(
            verdict: found.verdict,
            samples: try JSONDecoder().decode([SampleFinding].self, from: Data(contentsOf: samples)),
            phases: found.phases.map { ($0.phase, $0.seconds) }, points: found.measurements, model: purified)
    }

    /// What is read of the answer that `--json` asks for.
    private struct Answer: Decodable {
        struct FinishedPhase: Decodable {
            var phase: Phase
            var seconds: Double
        }

        var verdict: Verdict
        var phases: [FinishedPhase]
        var measurements: [MetricPoint]
    }

    /// - Parameters:
    ///   - output: the file that standard output goes to; nil: nowhere.
    ///   - errors: the same for standard error; nil: this program's.
    private static func start(
        _ arguments: [String], output: URL?, errors: URL?, temporaryFolder: URL? = nil
    ) throws -> Process {
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Problem(
                .notFound, code: "burnd-missing", title: "There is no burnd",
                detail: "\(program.path) is missing.", fix: "Build it beside burn-bench: make build.")
        }
        func file(_ url: URL) throws -> FileHandle {
            try Data().write(to: url)
            return try FileHandle(forWritingTo: url)
        }
        let process = Process()
        process.executableURL = program
        process.arguments = ["purify"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try output.map(file) ?? FileHandle.nullDevice
        if let errors { process.standardError = try file(errors) }
        if let temporaryFolder {
            // Packed images stay in the benchmark's cache.
            process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": temporaryFolder.path]
            ) { $1 }
        }
        try process.run()
        return process
    }
}
