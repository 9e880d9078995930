import API
import ArgumentParser
import Foundation
import Support

@main
struct Burnd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burnd",
        abstract: "Finds backdoors in image classifiers and removes them.",
        version: "\(Release.name) \(Release.version)",
        subcommands: [
            ServeCommand.self, CheckCommand.self, ScanCommand.self, PurifyCommand.self, KeysCommand.self,
            ClientCommand.self, FsckCommand.self, BackupCommand.self, RestoreCommand.self,
            SettingsCommand.self, DemoCommand.self, DoctorCommand.self, VersionCommand.self,
        ])
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Prints the version.")

    func run() { print("\(Release.name) \(Release.version)") }
}

/// Runs a command's body; a `Problem` becomes text on standard error and the exit code.
func reportingProblems(exitCode: Int32 = 1, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let problem as Problem {
        Terminal.note("burnd: \(problem)")
        throw ExitCode(exitCode)
    }
}
