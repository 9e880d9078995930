import Foundation
import Testing

/// What the tests of the real worker do over HTTP.
extension ServiceProcess {
    static let endStates = ["succeeded", "failed", "cancelled"]

    /// - Returns: the id; the service may still be importing it.
    func upload(_ data: Data, to collection: String, name: String) throws -> String {
        let reply = try post("/v1/\(collection)?name=\(name)", body: data)
        #expect(reply.status == 201, "\(reply.text)")
        return try reply.id
    }

    func submit(_ job: [String: Any]) throws -> String {
        let reply = try post(
            "/v1/jobs", "Content-Type: application/json", body: JSONSerialization.data(withJSONObject: job))
        #expect(reply.status == 202, "\(reply.text)")
        return try reply.id
    }

    func job(_ id: String, wait: Int? = nil) throws -> [String: Any] {
        let path = "/v1/jobs/\(id)"
        return try (wait.map { try get(path, "Prefer: wait=\($0)") } ?? get(path)).json
    }

    func ended(_ id: String) throws -> [String: Any] {
        while true {
            let job = try job(id, wait: 10)
            if let state = job["state"] as? String, Self.endStates.contains(state) { return job }
        }
    }

    /// Waits until `condition` holds of the job.
    /// - Throws: when the job ends first.
    @discardableResult
    func wait(for id: String, until condition: ([String: Any]) throws -> Bool) throws -> [String: Any] {
        while true {
            let job = try job(id)
            if try condition(job) { return job }
            guard let state = job["state"] as? String, !Self.endStates.contains(state) else {
                throw Failure(description: "The job ended first: \(job)")
            }
            usleep(50_000)
        }
    }

    /// Every entry of the job's log.
    func events(of id: String) throws -> [(type: String, data: [String: Any])] {
        var events: [(String, [String: Any])] = []
        var cursor = "0"
        while true {
            let page = try get("/v1/jobs/\(id)/events?limit=1000&cursor=\(cursor)").json
            for item in page["items"] as? [[String: Any]] ?? [] {
                events.append((item["type"] as? String ?? "", item["data"] as? [String: Any] ?? [:]))
            }
            guard let next = page["next_cursor"] as? String, next != cursor else { return events }
            cursor = next
        }
    }

    /// Every sample, by its file's name without the ending.
    func samples(of id: String) throws -> [String: [String: Any]] {
        let lines = try get("/v1/jobs/\(id)/samples?format=ndjson").body.split(separator: 0x0A)
        let samples = try lines.compactMap { try JSONSerialization.jsonObject(with: $0) as? [String: Any] }
        return Dictionary(
            samples.map {
                (URL(filePath: $0["name"] as? String ?? "").deletingPathExtension().lastPathComponent, $0)
            },
            uniquingKeysWith: { first, _ in first })
    }

    /// Process ids of its workers, but for those that wait for their task and have one thread.
    var workers: [pid_t] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter {
                guard let stat = try? String(contentsOfFile: "/proc/\($0)/stat", encoding: .utf8) else {
                    return false
                }
                // After "(name)": state, parent, and further on the number of threads.
                let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
                return stat.contains("(burn-worker)") && fields.count > 18 && fields[2] == "\(identifier)"
                    && fields[18] != "1"
            }
        }
    }
}

/// Findings against the truth.
struct DetectionRates {
    var truePositives = 0.0
    var falsePositives = 0.0
    /// Of the poisoned samples, those whose restored label is the true one.
    var restored = 0.0

    init(_ samples: [String: [String: Any]], _ truth: [String: RealCase.Truth]) throws {
        try #require(Set(samples.keys) == Set(truth.keys))
        let poisoned = Double(truth.values.count(where: \.isPoisoned))
        for (name, sample) in samples {
            guard let known = truth[name], let flagged = sample["flagged"] as? Bool else { continue }
            if known.isPoisoned {
                truePositives += flagged ? 1 / poisoned : 0
                restored += sample["restored_label"] as? Int == known.label ? 1 / poisoned : 0
            } else if flagged {
                falsePositives += 1 / (Double(truth.count) - poisoned)
            }
        }
    }
}
