import Findings
import Foundation
import Testing
import TinyModels
import WorkerProtocol

/// A purification that is given a small set of images that the user vouches for.
@Suite struct TrustedTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// Clean images of the case's classes, packed.
    private func trusted(_ samples: Int) throws -> String {
        _ = try TinyImages.textures(samples, side: 32, seed: 91).packed(in: folder.file("trusted"))
        return folder.file("trusted")
    }

    private func purify(trusted: String?) throws -> WorkerProcess.Result {
        let made = try PoisonedCase.shared()
        // A person names one sample, so that the model is treated whatever the analysis makes of so few images.
        let reviews = folder.file("reviews.jsonl")
        try ReviewFile.lines([SampleReview(index: 9, decision: .accept)]).write(to: URL(filePath: reviews))
        let kind = WorkerTask.Kind.analyse(
            .init(
                type: .purify, model: made.model, dataset: made.dataset, evaluation: nil, trusted: trusted,
                options: JobOptions(seed: 7, rounds: 0, force: true, threads: 1), reviews: reviews))
        return try WorkerProcess.run(kind, in: folder.file("job"))
    }

    private func accuracies(_ result: WorkerProcess.Result) -> [Double] {
        result.messages.flatMap { message -> [MetricPoint] in
            if case .metrics(let points) = message { points } else { [] }
        }.filter { $0.name == "holdout_accuracy" }.map(\.value)
    }

    @Test func accuracyIsMeasuredOnHalfOfTheTrustedImages() throws {
        let samples = 62
        let result = try purify(trusted: trusted(samples))
        try #require(result.isFinished, "\(result)")
        let found = accuracies(result)
        #expect(found.count >= 3, "before, after decoupling, of the result")
        for accuracy in found {
            let hits = accuracy * Double(samples / 2)
            #expect(abs(hits - hits.rounded()) < 1e-9, "a share of \(samples / 2) images")
        }
        let (before, after) = (try #require(found.first), try #require(found.last))
        #expect(after > before - 0.1, "what the classes look like is not lost: \(found)")
        let verdicts = result.messages.compactMap { message -> Verdict? in
            if case .verdict(let verdict) = message { verdict } else { nil }
        }
        #expect(verdicts.last?.evidence.statements.contains { $0.contains("reated by") } == true)
    }

    @Test func aSetTooSmallToMeasureByIsRefused() throws {
        let result = try purify(trusted: trusted(12))
        let problem = try #require(result.problem)
        #expect(problem.code == "trusted-set-too-small" && problem.location == "/options/trusted")
    }
}
