import ArgumentParser
import Foundation
import ServiceClient
import Support

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetches the purified model and the corrected labels, checked by SHA-256.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var job: JobArgument

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where the model goes.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp("Where the corrected labels go (CSV).", valueName: "file"), completion: .file())
    var labels: String?

    func validate() throws {
        guard output != nil || labels != nil else {
            throw ValidationError("Give --output, --labels, or both.")
        }
    }

    /// What was written.
    private struct Pulled: Encodable {
        var path: String
        var bytes: Int
        var sha256: String
        var verified: Bool

        init(_ download: Download) {
            path = download.path
            bytes = download.bytes
            sha256 = download.sha256
            verified = download.isVerified
        }
    }

    func run() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            var pulled: [String: Pulled] = [:]
            if let output {
                pulled["model"] = Pulled(try await client.download(job.path + "/model", to: output))
            }
            if let labels {
                pulled["labels"] = Pulled(try await client.download(job.path + "/labels", to: labels))
            }
            if service.json { return try printJSON(pulled) }
            for (_, file) in pulled.sorted(by: { $0.key > $1.key }) { print("\(file.sha256)  \(file.path)") }
        }
    }
}

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Fetches a job's report, as HTML or JSON.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var job: JobArgument

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A name that ends with .html or .json. Default: JSON on standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    func validate() throws {
        if let output, ReportFile(path: output) == nil {
            throw ValidationError("--output takes a name that ends with .html or .json.")
        }
    }

    func run() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            let file = output.flatMap(ReportFile.init)
            let data = try await client.get(
                job.path + "/report",
                query: [URLQueryItem(name: "format", value: file?.form.rawValue ?? "json")])
            guard let file else { return FileHandle.standardOutput.offer(data) }
            do { try data.write(to: URL(fileURLWithPath: file.path), options: .atomic) } catch {
                throw Problem(
                    .internal, code: "output-unwritable", title: "The report can't be written",
                    detail: "\(file.path): \(error.localizedDescription)", location: "--output")
            }
            if service.json { try printJSON(["report": file.path]) } else { print("Report: \(file.path)") }
        }
    }
}
