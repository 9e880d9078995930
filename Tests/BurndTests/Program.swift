import Foundation

/// Runs the built programs as a user would.
enum Program {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../architectures/small_cnn.pt2").standardizedFileURL.path

    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let process = Process()
        process.executableURL = folder.appending(path: "burnd")
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let scratch = URL(filePath: NSTemporaryDirectory()).appending(path: "burnd-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let files = try ["out", "err"].map { name in
            let file = scratch.appending(path: name)
            try Data().write(to: file)
            return (url: file, handle: try FileHandle(forWritingTo: file))
        }
        process.standardOutput = files[0].handle
        process.standardError = files[1].handle
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOf: files[0].url, encoding: .utf8),
            errors: try String(contentsOf: files[1].url, encoding: .utf8))
    }

    /// A worker program that follows the script, in the folder; where it says nothing of the model, that one is found good,
    /// with ten classes and images of 32 x 32.
    static func worker(following script: String, in folder: URL) throws -> String {
        let commands = folder.appending(path: "script")
        let script = script.contains("[probe]") ? script : "[probe]\nmodel-summary 32 10\nfinished\n" + script
        try script.write(to: commands, atomically: true, encoding: .utf8)
        let program = folder.appending(path: "worker")
        let scripted = Self.folder.appending(path: "ScriptedWorker").path
        try "#!/bin/sh\nexec '\(scripted)' follow '\(commands.path)'\n"
            .write(to: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        return program.path
    }
}
