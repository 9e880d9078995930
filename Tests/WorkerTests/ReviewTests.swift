import Findings
import Foundation
import Testing
import TinyModels
import WorkerProtocol

/// A purification goes by what people decided, and tells how it went.
@Suite struct ReviewTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func findings(_ result: WorkerProcess.Result) -> [SampleFinding] {
        result.messages.flatMap { message -> [SampleFinding] in
            if case .samples(let list) = message { list } else { [] }
        }
    }

    private func points(_ result: WorkerProcess.Result) -> [CurvePoint] {
        result.messages.flatMap { message -> [CurvePoint] in
            if case .curve(let list) = message { list } else { [] }
        }
    }

    @Test func reviewsDecideAndCurvesAreWholeAfterAKill() throws {
        let made = try PoisonedCase.shared()
        let analysed = findings(made.undisturbed)
        // One that the analysis flags, where it does; and some that it does not.
        let rejected = analysed.first(where: \.flagged)?.index ?? 7
        let calm = analysed.filter { !$0.flagged && $0.index != rejected }.map(\.index)
        let (accepted, relabelled) = (calm[3], calm[8])
        let label = (analysed[relabelled].givenLabel + 1) % 4
        let reviews = [
            SampleReview(index: accepted, decision: .accept),
            SampleReview(index: relabelled, decision: .relabel, label: label),
            SampleReview(index: rejected, decision: .reject),
        ]
        let path = folder.file("reviews.jsonl")
        try ReviewFile.lines(reviews).write(to: URL(filePath: path))
        let kind = WorkerTask.Kind.analyse(
            .init(
                type: .purify, model: made.model, dataset: made.dataset, evaluation: nil,
                options: JobOptions(seed: 7, rounds: 0, threads: 1), reviews: path))
        let worker = try WorkerProcess(WorkerTask(kind: kind, outputDirectory: folder.file("job")))
        // In the middle of a phase that has given points already.
        let killed = try worker.wait { if case .curve = $0 { worker.send(SIGKILL) } }
        #expect(!points(killed).isEmpty)
        let result = try WorkerProcess.run(kind, in: folder.file("job"))
        try #require(result.isFinished, "\(result)")

        let found = findings(result)
        #expect(found[accepted].flagged && found[accepted].restoredLabel != found[accepted].givenLabel)
        #expect(found[relabelled].flagged && found[relabelled].restoredLabel == label)
        #expect(!found[rejected].flagged && found[rejected].restoredLabel == found[rejected].givenLabel)
        let rows = try String(contentsOfFile: folder.file("job/labels.csv"), encoding: .utf8)
            .components(separatedBy: "\r\n")
        #expect(rows[relabelled + 1].hasSuffix(",\(label),1,"))
        #expect(rows[rejected + 1].hasSuffix(",0,"))

        // The second attempt gives again what the first one gave, at the same steps.
        let again = points(result)
        for point in points(killed) {
            #expect(
                again.contains { $0.name == point.name && $0.step == point.step && $0.phase == point.phase })
        }
        var series: [String: [Int]] = [:]
        for point in Set(again) {
            series["\(point.phase) \(point.round) \(point.name)", default: []].append(point.step)
        }
        #expect(
            Set(series.keys).isSuperset(of: [
                "decoupling 0 loss", "decoupling 0 accuracy", "decoupling 0 agreement",
            ]))
        for (name, steps) in series {
            #expect(Set(steps).count == steps.count && steps.count <= 200, "\(name)")
        }
        #expect(again.filter { $0.name != "loss" }.allSatisfy { (0...1).contains($0.value) })

        let assessments = result.messages.compactMap { message -> Assessment? in
            if case .assessment(let assessment) = message { assessment } else { nil }
        }
        let holdout = try #require(assessments.last?.holdout)
        #expect(assessments.count == 1 && assessments[0].evaluation == nil)
        #expect(holdout.samples > 0 && holdout.classes.count == PoisonedCase.outputs)
        let confusion = try #require(holdout.confusionAfter)
        #expect(confusion.flatMap { $0 }.reduce(0, +) == holdout.samples)
    }

    @Test func reviewsThatFitNoSampleAreRefused() throws {
        let made = try PoisonedCase.shared()
        let path = folder.file("reviews.jsonl")
        for review in [
            SampleReview(index: 260, decision: .accept),
            SampleReview(index: 1, decision: .relabel, label: 10),
            SampleReview(index: 1, decision: .relabel), SampleReview(index: -1, decision: .reject),
        ] {
            try ReviewFile.lines([review]).write(to: URL(filePath: path))
            let kind = WorkerTask.Kind.analyse(
                .init(
                    type: .purify, model: made.model, dataset: made.dataset, evaluation: nil,
                    options: JobOptions(seed: 7, threads: 1), reviews: path))
            let result = try WorkerProcess.run(kind, in: folder.file("refused"))
            #expect(result.problem?.code == "reviews-damaged", "\(review)")
        }
    }
}
