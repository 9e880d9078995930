import ArgumentParser

package struct PullCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetches the purified model and the corrected labels, checked by SHA-256.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var job: JobArgument

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where the model goes.", valueName: "file"),
        completion: .file())
    package var output: String?

    @Option(
        help: ArgumentHelp("Where the corrected labels go (CSV).", valueName: "file"), completion: .file())
    package var labels: String?

    package func validate() throws {
        guard output != nil || labels != nil else {
            throw ValidationError("Give --output, --labels, or both.")
        }
    }

    package init() {}
}

package struct ReportCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Fetches a job's report, as HTML or JSON.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var job: JobArgument

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A name that ends with .html or .json. Default: JSON on standard output.", valueName: "file"),
        completion: .file())
    package var output: String?

    package func validate() throws {
        if let output, ReportFile(path: output) == nil {
            throw ValidationError("--output takes a name that ends with .html or .json.")
        }
    }

    package init() {}
}
