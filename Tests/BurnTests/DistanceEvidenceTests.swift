import Findings
import Foundation
import Support
import Testing

@testable import Burn

/// How far flagged samples lie beside the others of their class.
@Suite struct DistanceEvidenceTests {
    @Test(arguments: UInt64(1)...6) func ranksAgreeWithACount(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        // Few values, so that many tie.
        let group = (0..<23).map { _ in Double(random.below(9)) + 1 }
        let others = (0..<57).map { _ in Double(random.below(9)) }
        var wins = 0.0
        for own in group { for other in others { wins += own > other ? 1 : own == other ? 0.5 : 0 } }
        let found = try #require(RankComparison(group, against: others))
        #expect(abs(found.auroc - wins / Double(23 * 57)) < 1e-12)
        let turned = try #require(RankComparison(others, against: group))
        #expect(abs(found.auroc + turned.auroc - 1) < 1e-12)
        #expect(abs(found.deviation - turned.deviation) < 1e-12)

        // The deviation is that of random groups of the same numbers.
        let all = group + others
        let areas = try (0..<2_000).map { _ in
            let mixed = all.shuffled(using: &random)
            return try #require(RankComparison(Array(mixed[..<23]), against: Array(mixed[23...]))).auroc
        }
        let mean = areas.reduce(0, +) / 2_000
        let spread = (areas.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2_000).squareRoot()
        #expect(abs(mean - 0.5) < 0.01)
        #expect(abs(spread / found.deviation - 1) < 0.08)
    }

    @Test func extremesAndNothing() throws {
        #expect(RankComparison([], against: [1]) == nil && RankComparison([1], against: []) == nil)
        let apart = try #require(RankComparison([3, 4], against: [1, 2, 2.5]))
        // U = 6 of 6; √((N + 1)/(12 n m)) = √(6/72).
        #expect(apart.auroc == 1 && abs(apart.deviation - (6.0 / 72).squareRoot()) < 1e-12)
        let alike = try #require(RankComparison([2, 2], against: [2, 2]))
        #expect(alike.auroc == 0.5 && alike.deviation == 0)
    }

    /// Ten classes of 100, a fifth of each a group of its own; class 0's is flagged.
    private func evidence(_ factor: Double) throws -> DistanceEvidence {
        var random = SplitMix64(seed: 12)
        var table = AnalysisTable(count: 1_000)
        var flagged = [Bool](repeating: false, count: 1_000)
        var findings: [ClassFinding] = []
        for label in 0..<10 {
            let members = Array(label * 100..<(label + 1) * 100)
            for sample in members {
                table.predicted[sample] = Int32(label)
                table.linearDistance[sample] = Float(exp(0.5 * random.normal()))
            }
            var finding = ClassFinding(label: label, judge: .standard)
            finding.coherence = ClassCoherence(
                members: members, cosines: members.map { _ in 0 },
                mixture: TwoComponentMixture(fitting: [0, 0, 1, 1], upper: [2, 3]),
                cluster: Array(members.prefix(20)))
            if label == 0 {
                finding.conclude(.backdoored, from: .perturbations)
                for sample in members.prefix(20) {
                    flagged[sample] = true
                    table.linearDistance[sample] *= Float(factor)
                }
            }
            findings.append(finding)
        }
        let found = DistanceEvidence.measure(findings, flagged: flagged, table: table)
        #expect(found.count == 1, "the others were not flagged")
        return try #require(found[0])
    }

    @Test func farGroupsStandApartAndOthersDoNot() throws {
        let far = try evidence(8)
        #expect(far.ranks.auroc > 0.98 && far.median > 4 * far.othersMedian)
        let null = try #require(far.null)
        #expect(null.groups == 9 && abs(null.auroc - 0.5) < 0.1 && null.pValue < 1e-3)
        let near = try #require(evidence(1).null)
        #expect(near.pValue > 0.05)
        let below = try evidence(0.1)
        #expect(below.ranks.auroc < 0.1 && (below.null?.pValue ?? 0) > 0.99)
    }
}
