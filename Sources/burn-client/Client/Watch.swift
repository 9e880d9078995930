import ArgumentParser
import Commands
import Findings
import Foundation
import ServiceClient
import Support

/// Follows a job on a terminal.
struct Watch {
    let client: ServiceClient
    let job: String

    private struct ProgressData: Decodable {
        var phase: Phase?
        var round: Int
        var progress: Double
        var secondsLeft: Double?

        enum CodingKeys: String, CodingKey {
            case phase, round, progress
            case secondsLeft = "seconds_left"
        }
    }

    /// - Throws: `ExitCode` by the verdict, unless that is clean.
    func run(json: Bool) async throws {
        let display = ProgressDisplay.standardError()
        let events = client.events(of: job) { display.note("interrupted (\($0.detail)); connecting again") }
        for try await event in events {
            if event.kind == "preliminary",
                let verdict = try? JSONDecoder().decode(PreliminaryVerdict.self, from: Data(event.data.utf8))
            {
                display.note(VerdictText.line(verdict).withoutEscapes)
            }
            guard event.kind == "progress",
                let data = try? JSONDecoder().decode(ProgressData.self, from: Data(event.data.utf8))
            else { continue }
            var label = data.phase?.rawValue.replacing("_", with: " ") ?? "preparation"
            if data.round > 0 { label += ", round \(data.round)" }
            display.update(label, fraction: data.progress, secondsLeft: data.secondsLeft)
        }
        display.finish()
        let document = try await client.get("/v1/jobs/\(job)")
        let ended: JobReply = try client.decode(document)
        if json { try printDocument(document) } else { print(JobText.render(ended)) }
        guard ended.state == .succeeded, let verdict = ended.verdict else { throw ExitCode.failure }
        let code = AnalysisExit.code(for: verdict.result)
        if code != AnalysisExit.clean { throw code }
    }
}

/// A job as text for a terminal.
enum JobText {
    static func render(_ job: JobReply) -> String {
        var lines = ["\(job.id)  \(job.type.rawValue)  \(job.state.rawValue)"]
        if !job.state.isTerminal {
            let left = job.progress.etaSeconds.map { ", \(ProgressDisplay.duration($0)) left" } ?? ""
            lines.append("\(Int(job.progress.fraction * 100)) %\(left)")
        }
        if job.verdict == nil, let verdict = job.preliminary { lines.append(VerdictText.line(verdict)) }
        if let verdict = job.verdict {
            let names = Dictionary(
                verdict.evidence.classes.map { ($0.label, $0.name) }, uniquingKeysWith: { first, _ in first })
            lines.append(VerdictText.render(verdict, classNames: names))
        }
        if let table = job.metrics.flatMap(VerdictText.table) { lines.append("\n" + table) }
        if let error = job.error { lines.append("\(error.problem())") }
        return lines.joined(separator: "\n").withoutEscapes
    }
}
