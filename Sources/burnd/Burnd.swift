import API
import ArgumentParser
import Commands

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
