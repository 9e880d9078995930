import Commands
import Findings
import Foundation
import ServiceClient
import Support

extension SubmitCommand: ClientWork {
    func perform() async throws {
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
        if let slots { values["slots"] = slots }
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

extension ListJobsCommand: ClientWork {
    func perform() async throws {
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

extension ShowJobCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            let data = try await client.get(job.path)
            if service.json { return try printDocument(data) }
            print(JobText.render(try client.decode(data)))
        }
    }
}

extension WatchCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) {
            try await Watch(client: try await service.client(), job: job.job).run(json: service.json)
        }
    }
}

extension CancelCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) {
            let client = try await service.client()
            let data = try await client.post(job.path + "/cancel")
            if service.json { return try printDocument(data) }
            print((try client.decode(data) as JobReply).state.rawValue)
        }
    }
}
