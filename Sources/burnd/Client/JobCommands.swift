import API
import ArgumentParser
import Findings
import Foundation
import ServiceClient
import Support

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Scans and purifications of the service.",
        subcommands: [
            SubmitCommand.self, ListJobsCommand.self, ShowJobCommand.self, WatchCommand.self,
            CancelCommand.self,
            PullCommand.self, ReportCommand.self,
        ])
}

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Starts a job; files are pushed first.",
        discussion: "Prints the job's id. With --watch it follows the job and exits as `watch` does.")

    @OptionGroup var service: ServiceOptions

    @Argument(help: "scan or purify.")
    var type: JobType

    @Argument(help: "A model's id, or a file.", completion: .file())
    var model: String

    @Argument(help: "A data set's id, or a file or folder.", completion: .file())
    var dataset: String

    @Option(help: ArgumentHelp("Clean images with their true labels: an id or a file.", valueName: "set"))
    var clean: String?

    @Option(help: ArgumentHelp("Triggered images with their true labels: an id or a file.", valueName: "set"))
    var triggered: String?

    @Option(help: ArgumentHelp("The attack's target class, for ASR.", valueName: "n"))
    var targetClass: Int?

    @Option(help: ArgumentHelp("Images with labels that you trust: an id or a file.", valueName: "set"))
    var trusted: String?

    @Option(help: ArgumentHelp("The job's options, a JSON file as in POST /v1/jobs.", valueName: "file"))
    var options: String?

    @Option(help: "Seeds every random choice.")
    var seed: UInt64?

    @Option(help: JobOptions.Method.help)
    var method: JobOptions.Method?

    @Option(help: "The mean and std of \(ScalingPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset: ScalingPreset?

    @Option(help: "Among your jobs, higher ones run first: -10 to 10.")
    var priority: Int?

    @Option(
        help: ArgumentHelp(
            "An address that is told of the job's end, on a host of webhooks.hosts.", valueName: "url"))
    var webhook: String?

    @Flag(help: "Follow the job to its end.")
    var watch = false

    func run() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            var body: [String: Any] = ["type": type.rawValue]
            var options = try jobOptions()
            if let trusted { options["trusted"] = try await input(trusted, .dataset, client) }
            if !options.isEmpty { body["options"] = options }
            body["priority"] = priority
            body["webhook"] = webhook
            body["model"] = try await input(model, .model, client)
            body["dataset"] = try await input(dataset, .dataset, client)
            var evaluation: [String: Any] = [:]
            if let clean { evaluation["clean"] = try await input(clean, .dataset, client) }
            if let triggered { evaluation["triggered"] = try await input(triggered, .dataset, client) }
            evaluation["target_class"] = targetClass
            if !evaluation.isEmpty { body["evaluation"] = evaluation }
            // With a key of its own, a request whose answer was lost can be sent again without a second job.
            let key = UUID().uuidString
            let data = try JSONSerialization.data(withJSONObject: body)
            let answer = try await client.submit(data, idempotencyKey: key)
            let job: JobReply = try client.decode(answer)
            guard watch else { return service.json ? try printDocument(answer) : print(job.id) }
            FileHandle.standardError.offer(Data("job \(job.id)\n".utf8))
            try await Watch(client: client, job: job.id).run(json: service.json)
        }
    }

    private func jobOptions() throws -> [String: Any] {
        var values: [String: Any] = [:]
        if let options {
            let data = try? Data(contentsOf: URL(fileURLWithPath: options))
            guard let data, let read = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw Problem(
                    .malformed, code: "options-unreadable", title: "The options can't be read",
                    detail: "\(options) is no file with a JSON object.", location: "--options",
                    fix:
                        "Such as a file with {\"seed\": 3, \"rounds\": 2}; the options are those of POST /v1/jobs."
                )
            }
            values = read
        }
        if let seed { values["seed"] = seed }
        if let method { values["method"] = method.rawValue }
        if let preset { values["input"] = ["preset": preset.rawValue] }
        return values
    }

    /// The id of what an argument names: an id as it is, a file pushed.
    private func input(_ text: String, _ kind: PushKind, _ client: ServiceClient) async throws -> String {
        let prefix = kind == .model ? "mdl_" : "dst_"
        if text.hasPrefix(prefix), !FileManager.default.fileExists(atPath: text) { return text }
        return try await Push(client: client, kind: kind).run(text, name: nil).id
    }
}

extension JobType: ExpressibleByArgument {}

struct ListJobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists jobs, newest first.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var page: PageOptions

    @Option(help: "Only those in this state.")
    var state: String?

    func run() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            let query = page.query + (state.map { [URLQueryItem(name: "state", value: $0)] } ?? [])
            let data = try await client.get("/v1/jobs", query: query)
            if service.json { return try printDocument(data) }
            let jobs: PageReply<JobReply> = try client.decode(data)
            for job in jobs.items {
                let result = job.verdict?.result.rawValue ?? "\(Int(job.progress.fraction * 100)) %"
                print("\(job.id)  \(job.type.rawValue)  \(job.state.rawValue)  \(result)  \(job.createdAt)")
            }
        }
    }
}

/// The job that a command is about.
struct JobArgument: ParsableArguments {
    @Argument(help: "A job's id.")
    var job: String

    func validate() throws {
        let plain = job.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || $0 == 0x5F
        }
        guard plain, (1...128).contains(job.utf8.count) else {
            throw ValidationError("This is no job's id: \(job)")
        }
    }

    var path: String { "/v1/jobs/\(job)" }
}

struct ShowJobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a job as it is now.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var job: JobArgument

    func run() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            let data = try await client.get(job.path)
            if service.json { return try printDocument(data) }
            print(JobText.render(try client.decode(data)))
        }
    }
}

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follows a job to its end, over interruptions and restarts of the service.",
        discussion: """
            Exits with 0 when no backdoor was found, 3 when one was (also when it was removed), 4 when the verdict is \
            suspicious, 5 when it is undetermined (too few samples of some classes), 1 when the job failed or was cancelled.
            """)

    @OptionGroup var service: ServiceOptions
    @OptionGroup var job: JobArgument

    func run() async throws {
        try await answering(json: service.json) {
            try await Watch(client: try await service.client(), job: job.job).run(json: service.json)
        }
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancels a job.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var job: JobArgument

    func run() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            let data = try await client.post(job.path + "/cancel")
            if service.json { return try printDocument(data) }
            print((try client.decode(data) as JobReply).state.rawValue)
        }
    }
}
