/// What speaks for a pattern in the images of one class being a trigger: p-values of looks that are independent of each
/// other.
struct PatternEvidence: Hashable, Sendable {
    /// Of how much alike the images are (`ImageBundle.pValue`).
    var bundlePValue: Double
    /// Of what the pattern does to other classes' images, against what the other classes' patterns do.
    var effectPValue: Double
    /// Of the class's cluster of perturbations; nil where that is of other samples, or these show their label.
    var clusterPValue: Double?

    var pValue: Double {
        clusterPValue.map { Statistics.combined(bundlePValue, effectPValue, $0) } ?? bundlePValue
    }

    /// For a pattern that works. What images of a class have in common by nature (ships are seen on blue water) may work as
    /// well as a trigger does: it must stand apart by itself, unless the perturbations single out the same samples, which
    /// show something else.
    func judgement(classes: Int) -> Conclusion.Judgement {
        let (certain, unusual) = (
            ClassFinding.significance / Double(classes), ClassFinding.weakSignificance
        )
        if let clusterPValue, max(bundlePValue, effectPValue, clusterPValue) < unusual, pValue < certain {
            return .backdoored
        }
        guard bundlePValue < certain, effectPValue < unusual else { return .clean }
        return effectPValue < certain ? .backdoored : .suspicious
    }
}
