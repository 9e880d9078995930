import Findings
import Foundation
import Testing

@testable import AttackBench

@Suite struct ReportTests {
    static func result(attack: String?, seed: UInt64, asrAfter: Double?, targets: [Int]) throws -> BenchResult
    {
        BenchResult(
            benchCase: BenchCase(
                data: "procedural", architecture: "small_cnn", attack: attack, target: 3, seed: seed),
            before: EvaluationMetrics(acc: 0.9, asr: asrAfter == nil ? nil : 1, ra: nil),
            after: EvaluationMetrics(acc: 0.88, asr: asrAfter, ra: nil),
            detection: try DetectionScore(
                [DetectionScoreTests.finding(0, score: 1, flagged: true)],
                truth: ["train-0": .init(label: 1, role: attack == nil ? .clean : .poisoned)]),
            verdict: Verdict(
                result: .backdoored, targetClasses: targets, kind: .allToOne, poisonedSamples: 1,
                poisonRate: 0.1,
                poisonRateInterval: [0, 1], confidence: 0.9, detectableRate: 0.01,
                evidence: Evidence(classes: [], statements: [])),
            modelChanged: true, estimatedResidualASR: 0.04,
            phases: [.init(phase: .detection, seconds: 2)], totalSeconds: 10)
    }

    /// Zhu et al.'s formula: (drop of ASR - loss of ACC + 1) / 2.
    @Test func defenceEffectiveness() throws {
        let result = try Self.result(attack: "badnets", seed: 1, asrAfter: 0.1, targets: [3])
        #expect(abs((result.defenceEffectiveness ?? 0) - (0.9 - 0.02 + 1) / 2) < 1e-12)
        #expect(try Self.result(attack: nil, seed: 1, asrAfter: nil, targets: []).defenceEffectiveness == nil)
    }

    @Test func seedsOfOneCaseShareARow() throws {
        let report = BenchReport([
            try Self.result(attack: "badnets", seed: 1, asrAfter: 0, targets: [3]),
            try Self.result(attack: "badnets", seed: 2, asrAfter: 0.02, targets: [3, 4]),
            try Self.result(attack: nil, seed: 1, asrAfter: nil, targets: []),
        ])
        let rows = report.markdown.split(separator: "\n").map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(rows[2][2...4] == ["badnets", "100.0 %", "2"])
        #expect(rows[2].contains("100.00 ± 0.00 → 1.00 ± 1.41"))
        #expect(rows[2].contains("1 of 2"))
        #expect(rows[3][2...4] == ["none", "–", "1"])
        // The header and every row of a table have the same number of cells.
        for table in report.markdown.components(separatedBy: "\n\n") {
            let widths = table.split(separator: "\n").map { $0.count { $0 == "|" } }
            #expect(widths.count > 2 && Set(widths).count == 1)
        }
    }

    @Test func relearningHasATableOfItsOwn() throws {
        var result = try Self.result(attack: "badnets", seed: 1, asrAfter: 0.01, targets: [3])
        #expect(!BenchReport([result]).markdown.contains("relearned"))
        result.relearning = Relearning(
            purified: 0.25, fineTuned: 0.5, fineTunedAfter: 0.75, neverPoisoned: 0.2)
        let line = "| small_cnn | badnets | 1.0 | 25.0 | 50.0 | 75.0 | 20.0 |"
        #expect(BenchReport([result]).markdown.contains(line))
    }

    @Test func resultsSurviveJSON() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "report.json")
        let result = try Self.result(attack: "wanet", seed: 1, asrAfter: 0.5, targets: [3])
        try BenchReport([result]).writeJSON(to: file)
        let read: [BenchResult] = try readJSON(from: file)
        #expect(read.first?.benchCase == result.benchCase)
        #expect(read.first?.detection == result.detection)
        #expect(read.first?.after == result.after)
    }

    @Test func everyTrainingParameterIsPartOfTheName() {
        let plain = BenchCase(data: "a", architecture: "b", attack: "sig")
        let changes: [(inout BenchCase) -> Void] = [
            { $0.data = "c" }, { $0.architecture = "c" }, { $0.attack = nil }, { $0.rate = 0.01 },
            { $0.target = 2 },
            { $0.seed = 9 }, { $0.trainingImages = 7 }, { $0.epochs = 1 }, { $0.learningRate = 0.1 },
        ]
        let names = changes.map { change in
            var other = plain
            change(&other)
            return other.name
        }
        #expect(Set(names + [plain.name]).count == changes.count + 1)
    }
}
