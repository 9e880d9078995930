import Findings
import Foundation

/// Trains what is not there yet, purifies it, and measures the result against the truth.
public struct AttackBenchmark: Sendable {
    /// Purifies `model`, trained on the packed set `dataset`, into files below `scratch`.
    public typealias Purify =
        @Sendable (
            _ model: URL, _ dataset: URL, _ classes: URL, _ seed: UInt64, _ scratch: URL
        ) async throws -> PurificationOutcome

    public var maker: CaseMaker
    /// Results with different labels stand beside each other: of different options, or versions.
    public var label: String
    /// Whether purified models are tried on relearning the backdoor.
    public var relearns: Bool
    public var purify: Purify

    public init(maker: CaseMaker, label: String, relearns: Bool = false, purify: @escaping Purify) {
        self.maker = maker
        self.label = label
        self.relearns = relearns
        self.purify = purify
    }

    /// The result of a case; one that is there already is read, not made again.
    public func run(_ benchCase: BenchCase) async throws -> BenchResult {
        let made = try await maker.make(benchCase)
        let folder = made.folder.results(label)
        let file = folder.appending(path: "result.json")
        if isThere(file) { return try await completed(readJSON(from: file), made, file) }
        try? FileManager.default.removeItem(at: folder)
        let scratch = folder.appending(path: "work")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        let started = ContinuousClock.now
        let outcome = try await purify(
            made.folder.model, made.folder.training, made.folder.classes, benchCase.jobSeed, scratch)
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        maker.report("measuring", nil)
        let result = BenchResult(
            benchCase: benchCase, before: made.before,
            after: try await maker.evaluate(outcome.model, of: made),
            detection: try DetectionScore(outcome.samples, truth: made.data.truth), verdict: outcome.verdict,
            modelChanged: !FileManager.default.contentsEqual(
                atPath: outcome.model.path, andPath: made.folder.model.path),
            estimatedResidualASR: outcome.points.last { $0.name == "residual_asr_estimate" }?.value,
            phases: Phase.allCases.compactMap { phase in
                let rounds = outcome.phases.filter { $0.phase == phase }
                return rounds.isEmpty
                    ? nil : .init(phase: phase, seconds: rounds.map(\.seconds).reduce(0, +))
            },
            totalSeconds: seconds)
        try FileManager.default.moveItem(at: outcome.model, to: folder.appending(path: "purified.pt2"))
        try writeJSON(result, to: file)
        try? FileManager.default.removeItem(at: scratch)
        return try await completed(result, made, file)
    }

    /// With what was asked for later.
    private func completed(
        _ result: BenchResult, _ made: CaseMaker.Made, _ file: URL
    ) async throws -> BenchResult {
        guard relearns, result.relearning == nil, result.modelChanged else { return result }
        var result = result
        let folder = file.deletingLastPathComponent()
        let scratch = folder.appending(path: "work")
        try? FileManager.default.removeItem(at: scratch)
        defer { try? FileManager.default.removeItem(at: scratch) }
        result.relearning = try await maker.relearning(
            of: folder.appending(path: "purified.pt2"), result.benchCase, made, scratch: scratch)
        try writeJSON(result, to: file)
        return result
    }
}
