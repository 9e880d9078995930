import ArgumentParser
import Foundation
import ServiceClient
import Support

/// Everything that talks to a service elsewhere.
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Uses a BURN service: pushes, jobs, results.",
        discussion: """
            The service and the key are those of `burnd client login`, or BURN_URL and BURN_KEY. Exit codes: 0 done \
            (a job: no backdoor), 1 failure, 3 a backdoor was found, 4 suspicious, 5 undetermined, 64 wrong usage.
            """,
        subcommands: [
            LoginCommand.self, LogoutCommand.self, ModelsCommand.self, DatasetsCommand.self, JobsCommand.self,
        ])
}

/// How the service is found, for every command that uses one.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The service's address. Default: BURN_URL, or that of the login.", valueName: "url"))
    var url: String?

    @Flag(help: "Print the service's answer as JSON on standard output.")
    var json = false

    /// - Throws: `Problem`, also when the service is not to be reached now: later interruptions are waited for.
    func client() async throws -> ServiceClient {
        var environment = ProcessInfo.processInfo.environment
        if let url { environment["BURN_URL"] = url }
        let credentials = try Credentials.current(environment)
        let client = ServiceClient(
            address: try ServiceAddress(
                credentials.url,
                allowsPlainHTTP: credentials.allowsPlainHTTP == true || credentials.key == nil),
            key: credentials.key)
        try await client.reach()
        return client
    }
}

/// Runs a command's body; what goes wrong becomes text on standard error (and with `json` a document on standard
/// output), and the exit code 1.
func answering(json: Bool, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let problem as Problem {
        if json { try printJSON(["error": ProblemDescription(problem)]) }
        Terminal.note("burnd: \(problem)")
        throw ExitCode.failure
    }
}

/// The members of a problem that a program reads.
private struct ProblemDescription: Encodable {
    var code, title, detail: String
    var location, fix: String?

    init(_ problem: Problem) {
        code = problem.code
        title = problem.title
        detail = problem.detail
        location = problem.location
        fix = problem.fix
    }
}

/// The service's own JSON, indented, its members in order of name.
func printDocument(_ data: Data) throws {
    let value = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    let text = try JSONSerialization.data(
        withJSONObject: value,
        options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
    FileHandle.standardOutput.offer(text.plainJSON + Data("\n".utf8))
}
