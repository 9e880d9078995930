import ArgumentParser
import Commands
import Support

/// What burnd becomes for commands that talk to a service: all that needs an HTTP client, and the demonstration.
@main
struct BurnClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burnd", version: "burnd \(EmbeddedRelease.version)",
        subcommands: [ClientCommand.self, DemoCommand.self, FetchCommand.self])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if let work = command as? any ClientWork { try await work.perform() } else { try command.run() }
        } catch {
            exit(withError: error)
        }
    }
}

/// A command of burnd's, and what is done for it here.
protocol ClientWork: ClientProgramCommand {
    func perform() async throws
}
