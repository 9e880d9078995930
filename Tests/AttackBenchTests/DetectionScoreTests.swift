import Findings
import Support
import Testing

@testable import AttackBench

@Suite struct DetectionScoreTests {
    static func finding(_ index: Int, score: Double, flagged: Bool, restored: Int = 0) -> SampleFinding {
        SampleFinding(
            index: index, name: "cat/train-\(index).png", givenLabel: 0, predictedLabel: 0,
            boundaryDistance: 1, adversarialLabel: 1, coherence: 0, score: score, flagged: flagged,
            restoredLabel: restored)
    }

    static let truth: [String: SampleTruth] = [
        "train-0": .init(label: 2, role: .poisoned), "train-1": .init(label: 3, role: .poisoned),
        "train-2": .init(label: 0, role: .cover), "train-3": .init(label: 0, role: .clean),
    ]

    @Test func countsFlagsAndRestoredLabels() throws {
        let score = try DetectionScore(
            [
                Self.finding(0, score: 0.9, flagged: true, restored: 2),
                Self.finding(1, score: 0.4, flagged: false, restored: 3),
                Self.finding(2, score: 0.8, flagged: true), Self.finding(3, score: 0.1, flagged: false),
            ], truth: Self.truth)
        #expect(score.truePositiveRate == 0.5)
        #expect(score.falsePositiveRate == 0.5)
        #expect(score.restoredShare == 1)
        #expect(score.restoredPrecision == 1)
        // Pairs: 0.9 above both clean ones, 0.4 above one of them.
        #expect(score.auroc == 0.75)
        #expect(score.distanceAUROC == 0.5 && score.coherenceAUROC == 0.5, "they are the same for all")
        #expect(score.adversarialShare == 0)
    }

    @Test func kindsOfEvidenceAreScoredApart() throws {
        var findings = (0..<4).map { Self.finding($0, score: 0, flagged: false) }
        for (index, (distance, coherence)) in [(3.0, 0.1), (4.0, 0.4), (1.0, 0.2), (2.0, 0.3)].enumerated() {
            findings[index].boundaryDistance = distance
            findings[index].coherence = coherence
        }
        findings[1].adversarialLabel = 3
        let score = try DetectionScore(findings, truth: Self.truth)
        #expect(score.distanceAUROC == 1)
        #expect(score.coherenceAUROC == 0.5)
        #expect(score.adversarialShare == 0.5)
    }

    @Test(arguments: [
        ([(1.0, true), (0.0, false)], 1.0), ([(0.0, true), (1.0, false)], 0.0),
        ([(0.5, true), (0.5, false), (0.5, false)], 0.5),
        ([(0.3, true), (0.7, true), (0.3, false), (0.1, false)], 0.875),
    ])
    func aurocIsTheShareOfOrderedPairs(scores: [(Double, Bool)], expected: Double) {
        #expect(DetectionScore.auroc(scores.map { (score: $0.0, isPoisoned: $0.1) }) == expected)
    }

    @Test func withoutPoisonThereIsNoTruePositiveRate() throws {
        let clean = Self.truth.mapValues { SampleTruth(label: $0.label, role: .clean) }
        let score = try DetectionScore(
            (0..<4).map { Self.finding($0, score: 0, flagged: $0 == 0) }, truth: clean)
        #expect(score.truePositiveRate == nil && score.auroc == nil && score.restoredPrecision == nil)
        #expect(score.falsePositiveRate == 0.25)
    }

    @Test func findingsOnOtherSamplesAreRefused() {
        #expect(throws: Problem.self) { try DetectionScore([], truth: Self.truth) }
        #expect(throws: Problem.self) {
            try DetectionScore((1..<5).map { Self.finding($0, score: 0, flagged: false) }, truth: Self.truth)
        }
    }
}
