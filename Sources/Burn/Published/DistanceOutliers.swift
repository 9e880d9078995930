import Foundation

/// Samples that lie unusually far from the boundary beside the others of their class, and classes with more of them than chance
/// gives.
///
/// A class's distances are divided by their lower quartile, which samples further away hardly move as long as they are not most
/// of the class. A sample is *abnormal* where its ratio is above the limit that the other classes' ratios set: the median of their
/// conformal limits at `rate`, which a sample of a class of the same shape exceeds with that probability, whatever the shape, but for the quartile's error
/// (Laxhammar and Falkman, "Conformal prediction for distribution-independent anomaly detection", 2010; Bates, Candès, Lei,
/// Romano and Sesia, "Testing for outliers with conformal p-values", Annals of Statistics 51, 2023).
struct DistanceOutliers: Hashable, Sendable {
    /// Samples of the class.
    var count: Int
    /// Distance above which a sample of the class is abnormal.
    var limit: Double
    var abnormal: Int
    /// Share of abnormal samples that chance gives.
    var expected: Double
    /// One-sided, of the number of abnormal samples: the larger of two p-values. Binomial, against `expected`; and against the
    /// shares of the other classes, whose spread is no smaller than a binomial one.
    var pValue = 1.0
    /// There are significantly more than chance gives.
    var isTarget = false

    /// Share of ordinary samples that are abnormal: what conformal anomaly detectors are usually run at.
    static let rate = 0.01
    /// Smaller classes have no quartile to speak of.
    static let fewest = ClassCoherence.fewestMembers

    var share: Double { Double(abnormal) / Double(count) }

    /// Probability that a sample was planted: an abnormal one where it is none of those that chance gives, any other as often as
    /// abnormal ones are in the class.
    func posterior(abnormal isAbnormal: Bool) -> Double {
        isAbnormal ? max(0, 1 - expected / max(share, expected)) : max(0, share - expected)
    }

    /// Judges every class of which there are enough; with fewer than two of them, none.
    /// - Parameters:
    ///   - distances: by class, above 0.
    ///   - errorBudget: family-wise error over all classes.
    static func judge(_ distances: [Int: [Double]], errorBudget: Double) -> [Int: DistanceOutliers] {
        let judged = distances.filter { $0.value.count >= fewest }
        guard judged.count > 1 else { return [:] }
        let quartiles = judged.mapValues { Statistics.quantile($0, 0.25) }
        let limits = judged.mapValues(conformalLimit).map { label, limit in
            (label: label, ratio: limit.value / (quartiles[label] ?? 1), rate: limit.rate)
        }
        var outcome: [Int: DistanceOutliers] = [:]
        for (label, values) in judged {
            let others = limits.filter { $0.label != label }
            let limit = Statistics.median(others.map(\.ratio)) * (quartiles[label] ?? 1)
            outcome[label] = DistanceOutliers(
                count: values.count, limit: limit, abnormal: values.count { $0 > limit },
                expected: Statistics.median(others.map(\.rate)))
        }
        compare(&outcome, errorBudget)
        return outcome
    }

    /// What a further value of the same kind exceeds with probability `rate`: the value of rank ⌈(n + 1)(1 - rate)⌉. Of too few
    /// values it is the largest, which is exceeded more often.
    private static func conformalLimit(_ values: [Double]) -> (value: Double, rate: Double) {
        let rank = Int((Double(values.count + 1) * (1 - rate)).rounded(.up))
        return (values.sorted()[min(rank, values.count) - 1], max(rate, 1 / Double(values.count + 1)))
    }

    /// The shares' arcsine roots have a deviation of 1/(2√n) by chance, whatever the share.
    private static func compare(_ outcome: inout [Int: DistanceOutliers], _ errorBudget: Double) {
        let angles = outcome.mapValues { asin($0.share.squareRoot()) }
        outcome = Dictionary(
            uniqueKeysWithValues: outcome.map { label, found in
                let others = angles.filter { $0.key != label }.sorted { $0.key < $1.key }.map(\.value)
                let among = Statistics.pValue(
                    of: angles[label] ?? 0, against: others,
                    atLeastBinomial: 0.5 / Double(found.count).squareRoot())
                let alone = Statistics.binomialTail(found.abnormal, of: found.count, rate: found.expected)
                var judged = found
                judged.pValue = max(among, alone)
                judged.isTarget = judged.pValue * Double(angles.count) < errorBudget
                return (label, judged)
            })
    }
}
