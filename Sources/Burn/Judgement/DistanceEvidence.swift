/// How far from the boundary a class's flagged samples lie beside its others, which is BURN's first observation. It is told with
/// every verdict, and decides none.
///
/// Ranks are those of first-order distances, which every sample has that was surveyed.
struct DistanceEvidence: Hashable, Sendable {
    let ranks: RankComparison
    /// Median distances of the flagged samples and of the others.
    let median, othersMedian: Double
    /// Mean area for the clusters of classes above suspicion, and one-sided p-value against them; nil for fewer than
    /// `fewestGroups`.
    let null: Null?

    struct Null: Hashable, Sendable {
        let auroc, pValue: Double
        let groups: Int
    }

    /// Fewer samples, of a group or beside it, have no distribution to speak of.
    private static let fewestSamples = 8
    private static let fewestGroups = 3

    /// By class. What was flagged for its distance is not asked for it again.
    static func measure(
        _ findings: [ClassFinding], flagged: [Bool], table: AnalysisTable
    ) -> [Int: DistanceEvidence] {
        func ranks(_ group: [Int], _ others: [Int]) -> RankComparison? {
            guard min(group.count, others.count) >= fewestSamples else { return nil }
            return RankComparison(distances(group, table), against: distances(others, table))
        }
        let null = findings.compactMap { finding -> Double? in
            guard finding.judgement == .clean, let coherence = finding.coherence else { return nil }
            return ranks(coherence.cluster, coherence.remainder)?.auroc
        }
        let members = Dictionary(grouping: table.predicted.indices) { Int(table.predicted[$0]) }
        var evidence: [Int: DistanceEvidence] = [:]
        for finding in findings where finding.judgement != .clean && !finding.isFoundByDistance {
            let own = (members[finding.label] ?? []).filter(table.isSurveyed)
            let (group, others) = (own.filter { flagged[$0] }, own.filter { !flagged[$0] })
            guard let found = ranks(group, others) else { continue }
            evidence[finding.label] = DistanceEvidence(
                ranks: found, median: Statistics.median(distances(group, table)),
                othersMedian: Statistics.median(distances(others, table)),
                null: null.count < fewestGroups
                    ? nil
                    : Null(
                        auroc: null.reduce(0, +) / Double(null.count),
                        pValue: Statistics.pValue(
                            of: found.auroc, against: null, chance: found.deviation),
                        groups: null.count))
        }
        return evidence
    }

    private static func distances(_ samples: [Int], _ table: AnalysisTable) -> [Double] {
        samples.map { Double(table.linearDistance[$0]) }.filter(\.isFinite)
    }
}
