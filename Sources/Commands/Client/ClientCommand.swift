import ArgumentParser

/// Everything that talks to a service elsewhere.
package struct ClientCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Uses a BURN service: pushes, jobs, results.",
        discussion: """
            The service and the key are those of `burnd client login`, or BURN_URL and BURN_KEY. Exit codes: 0 done \
            (a job: no backdoor), 1 failure, 3 a backdoor was found, 4 suspicious, 5 undetermined, 64 wrong usage.
            """,
        subcommands: [
            LoginCommand.self, LogoutCommand.self, ModelsCommand.self, DatasetsCommand.self, JobsCommand.self,
        ])

    package init() {}
}

/// How the service is found, for every command that uses one.
package struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The service's address. Default: BURN_URL, or that of the login.", valueName: "url"))
    package var url: String?

    @Flag(help: "Print the service's answer as JSON on standard output.")
    package var json = false

    package init() {}
}
