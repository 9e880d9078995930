import Burn
import Findings
import Foundation

/// What the detection found, on disk: a worker that is ended later does not search again.
extension Diagnosis {
    private struct Conclusions: Codable {
        var verdict: Verdict
        var backdoors: [Backdoor]
    }

    func save(_ path: String) throws {
        try ColumnFile.write(
            [
                ("flagged", flagged.map { $0 ? UInt8(1) : 0 }.data), ("scores", scores.data),
                ("coherence", coherence.data),
                (
                    "conclusions",
                    try JSONEncoder().encode(Conclusions(verdict: verdict, backdoors: backdoors))
                ),
            ], to: path)
    }

    /// Nil when the file is not there, or not one for `count` samples, or what another version wrote.
    init?(path: String, count: Int) throws {
        guard let columns = try ColumnFile.read(path), let conclusions = columns["conclusions"],
            let flagged: [UInt8] = columns.column("flagged", count: count),
            let scores: [Double] = columns.column("scores", count: count),
            let coherence: [Double] = columns.column("coherence", count: count)
        else { return nil }
        // A service that was upgraded in the middle of a job searches again.
        guard let known = try? JSONDecoder().decode(Conclusions.self, from: conclusions) else { return nil }
        self.init(
            verdict: known.verdict, flagged: flagged.map { $0 != 0 }, scores: scores, coherence: coherence,
            backdoors: known.backdoors)
    }
}
