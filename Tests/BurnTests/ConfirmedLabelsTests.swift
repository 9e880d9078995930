import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// The acceptance gate measures accuracy only against labels that the suspicious model sees itself.
@Suite struct ConfirmedLabelsTests {
    private let folder: ScratchFolder
    private let images: LabelledImages

    init() throws {
        folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([5, 12]), bias: Tensor.zeros([5]), channels: 3, side: 2)
        images = try LabelledImages(
            TinyImages.noise(500, side: 2, classes: 5, seed: 1).packed(in: folder.file("set")),
            for: model.graph, options: JobOptions())
    }

    /// The first partition where the model predicts `seen(label)` for four of five samples, and else the label.
    private func pool(_ seen: (Int) -> Int) -> TrainingPool {
        var table = AnalysisTable(count: images.count)
        for sample in 0..<images.count {
            let label = images.labels[sample]
            table.predicted[sample] = Int32(sample / 5 % 5 == 0 ? label : seen(label))
        }
        let none = [Double](repeating: 0, count: images.count)
        let verdict = Verdict(
            result: .clean, targetClasses: [], kind: nil, poisonedSamples: 0, poisonRate: 0,
            poisonRateInterval: [0, 1], confidence: 0.5, detectableRate: 0.1,
            evidence: Evidence(classes: [], statements: []))
        return TrainingPool(
            Diagnosis(
                verdict: verdict, flagged: [Bool](repeating: false, count: images.count), scores: none,
                coherence: none, backdoors: []),
            table: table, images: images, seed: 1)
    }

    private func gate(_ pool: TrainingPool, trusted: TrustedImages? = nil) throws -> AcceptanceGate {
        AcceptanceGate(
            images: images, targets: [], holdout: pool.holdout, flagged: [],
            labelsAreConfirmed: pool.labelsAreConfirmed, trusted: trusted, parameters: Parameters(),
            token: try CancellationToken())
    }

    /// As a purification looks that unlearned what is right: accuracy against the given labels rose.
    private let before = AcceptanceGate.Report(accuracy: 0.16, residual: 0, flaggedUnchanged: 0)
    private let after = AcceptanceGate.Report(accuracy: 0.6, residual: 0, flaggedUnchanged: 0)

    @Test func labelsThatTheModelSeesJudgeIt() throws {
        let pool = pool { $0 }
        #expect(pool.labelsAreConfirmed && pool.holdout.count == 50)
        #expect(Set(pool.holdout.map { images.labels[$0] }).count == 5)
        #expect(try gate(pool).shortfall(after, before: before) == nil)
    }

    @Test func classesThatStandForOthersTakeNoPart() throws {
        let pool = pool { $0 == 1 ? 2 : $0 == 2 ? 1 : $0 }
        #expect(pool.labelsAreConfirmed)
        #expect(Set(pool.holdout.map { images.labels[$0] }) == [0, 3, 4])
        #expect(try gate(pool).shortfall(after, before: before) == nil)
    }

    @Test func anOrderThatTheModelDoesNotSeeIsNeverAccepted() throws {
        let pool = pool { $0 < 4 ? ($0 + 1) % 4 : $0 }
        #expect(!pool.labelsAreConfirmed)
        #expect(try gate(pool).shortfall(after, before: before)?.contains("not what the model sees") == true)
        // Unless the user vouches for labels.
        let trusted = try TrustedImages(images, seed: 1)
        #expect(try gate(pool, trusted: trusted).shortfall(after, before: before) == nil)
    }
}
