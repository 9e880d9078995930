import Foundation

/// How far the strongest bundle of a group of unit perturbations stands apart from it, in the three ways that are
/// compared with a null.
struct BundleStrength: Hashable, Sendable {
    /// Rows of the group.
    var size: Int
    /// Mean cosine inside the bundle.
    var tightness: Double
    /// Share of the rows' energy along their top direction: 1/n for independent ones, 1 for one common direction.
    var share: Double
    /// Nats by which two modes explain the cosines better than one.
    var gain: Double

    /// One-sided, against groups where nothing is hidden: the three p-values, which depend on each other, combined. Nil without a
    /// group to compare with.
    ///
    /// More rows make for more gain; against smaller groups the gain for each row counts. Their top direction holds more by
    /// chance, so that the share is compared as it is.
    func pValue(against null: [BundleStrength]) -> Double? {
        guard !null.isEmpty else { return nil }
        func pValue(_ natural: NaturalSpread, _ value: (BundleStrength) -> Double) -> Double {
            Statistics.pValue(of: value(self), against: null.map(value), natural: natural)
        }
        return Statistics.combinedOfDependent(
            pValue(.tightness) { Self.fisher($0.tightness) }, pValue(.share) { log(max($0.share, 1e-9)) },
            pValue(.gain) { log(1 + $0.gain) })
    }

    /// With the gain that so many rows of the same kind would show.
    func scaled(to rows: Int) -> BundleStrength {
        var scaled = self
        if size > rows { scaled.gain *= Double(rows) / Double(size) }
        return scaled
    }

    /// Fisher's transformation: makes cosines roughly normal.
    private static func fisher(_ cosine: Double) -> Double {
        let bounded = min(max(cosine, -0.999), 0.999)
        return 0.5 * log((1 + bounded) / (1 - bounded))
    }
}
