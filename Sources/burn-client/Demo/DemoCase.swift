import AttackBench
import Foundation

/// What the demonstration hands to the service, and the truth that it keeps to itself.
struct DemoCase {
    /// In one line, for the reader.
    var title: String
    var model: URL
    /// Image folders in tar archives.
    var trainingSet: URL
    var cleanSet: URL
    /// Nil for a case without a backdoor.
    var triggeredSet: URL?
    var targetClass: Int?
    /// By entry name without folder and extension.
    var truth: [String: SampleTruth]
}

/// Runs a helper program to its end.
/// - Throws: `DemoFailure` with what it wrote when it does not exit with 0.
func runTool(_ program: URL, _ arguments: [String]) async throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd().map { String(decoding: $0, as: UTF8.self) } ?? ""
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw DemoFailure(
            "\(program.lastPathComponent) ended with status \(process.terminationStatus):\n\(text)")
    }
}
