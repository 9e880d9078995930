import ArgumentParser
import Findings

package struct JobsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Scans and purifications of the service.",
        subcommands: [
            SubmitCommand.self, ListJobsCommand.self, ShowJobCommand.self, WatchCommand.self,
            CancelCommand.self,
            PullCommand.self, ReportCommand.self,
        ])

    package init() {}
}

package struct SubmitCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Starts a job; files are pushed first.",
        discussion: "Prints the job's id. With --watch it follows the job and exits as `watch` does.")

    @OptionGroup package var service: ServiceOptions

    @Argument(help: "scan or purify.")
    package var type: JobType

    @Argument(help: "A model's id, or a file.", completion: .file())
    package var model: String

    @Argument(help: "A data set's id, or a file or folder.", completion: .file())
    package var dataset: String

    @Option(help: ArgumentHelp("Clean images with their true labels: an id or a file.", valueName: "set"))
    package var clean: String?

    @Option(help: ArgumentHelp("Triggered images with their true labels: an id or a file.", valueName: "set"))
    package var triggered: String?

    @Option(help: ArgumentHelp("The attack's target class, for ASR.", valueName: "n"))
    package var targetClass: Int?

    @Option(help: ArgumentHelp("Images with labels that you trust: an id or a file.", valueName: "set"))
    package var trusted: String?

    @Option(help: ArgumentHelp("The job's options, a JSON file as in POST /v1/jobs.", valueName: "file"))
    package var options: String?

    @Option(help: "Seeds every random choice.")
    package var seed: UInt64?

    @Option(help: "The most slots of the service that the job uses. Default: the service's job_slots.")
    package var slots: Int?

    @Option(help: JobOptions.Method.help)
    package var method: JobOptions.Method?

    @Option(help: "The mean and std of \(ScalingPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    package var preset: ScalingPreset?

    @Option(help: "Among your jobs, higher ones run first: -10 to 10.")
    package var priority: Int?

    @Option(
        help: ArgumentHelp(
            "An address that is told of the job's end, on a host of webhooks.hosts.", valueName: "url"))
    package var webhook: String?

    @Flag(help: "Follow the job to its end.")
    package var watch = false

    package init() {}
}

package struct ListJobsCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists jobs, newest first.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var page: PageOptions

    @Option(help: "Only those in this state.")
    package var state: String?

    package init() {}
}

/// The job that a command is about.
package struct JobArgument: ParsableArguments {
    @Argument(help: "A job's id.")
    package var job: String

    package func validate() throws {
        let plain = job.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || $0 == 0x5F
        }
        guard plain, (1...128).contains(job.utf8.count) else {
            throw ValidationError("This is no job's id: \(job)")
        }
    }

    package var path: String { "/v1/jobs/\(job)" }

    package init() {}
}

package struct ShowJobCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a job as it is now.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var job: JobArgument

    package init() {}
}

package struct WatchCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follows a job to its end, over interruptions and restarts of the service.",
        discussion: """
            Exits with 0 when no backdoor was found, 3 when one was (also when it was removed), 4 when the verdict is \
            suspicious, 5 when it is undetermined (too few samples of some classes), 1 when the job failed or was cancelled.
            """)

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var job: JobArgument

    package init() {}
}

package struct CancelCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancels a job.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var job: JobArgument

    package init() {}
}
