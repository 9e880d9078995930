import Commands
import Foundation
import ServiceClient
import Support

extension PullCommand: ClientWork {
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

    func perform() async throws {
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

extension ReportCommand: ClientWork {
    func perform() async throws {
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
