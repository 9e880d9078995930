import Tensors

/// What the noise of a class's images shows: a bundle that stands apart by how pixels differ from their neighbours, and
/// what the model makes of that noise: where it is put in, and where it is taken out.
struct NoiseEvidence: Sendable {
    /// Samples with the class's label that are in the bundle.
    var suspects: [Int]
    var transplant: NoiseTransplant
    /// Shares of other classes' images that land in the class with the bundle's noise, and with each other's.
    var insertion: NoiseTransplant.Effect
    /// Shares of the class's other samples, and of the bundle's, that stay with noise that is not the bundle's.
    var removal: NoiseTransplant.Effect
    /// Of each excess against what the other classes' bundles do.
    var insertionPValue = 1.0
    var removalPValue = 1.0
    /// Probability of belonging to the bundle, of every sample with the class's label.
    var posteriors: [Int: Double]
    var unlearning: UnlearningTest.Outcome?

    var pValue: Double { Statistics.combined(insertionPValue, removalPValue) }

    /// What the noise does at least: the weaker of the two effects.
    var excess: Double { min(insertion.excess, removal.excess) }

    /// Samples that were planted, of `suspects`.
    ///
    /// The bundle may hold samples that an attacker planted with their own labels, to hide the others. Those that show
    /// another class leave theirs when the others are unlearned.
    var planted: [Int] {
        guard let unlearning else { return suspects }
        return suspects.filter {
            unlearning.leaving.contains($0)
                || (!unlearning.tested.contains($0) && posteriors[$0, default: 0] > Self.almostCertain)
        }
    }

    private static let almostCertain = 0.9
}
