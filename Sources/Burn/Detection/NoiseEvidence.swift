import Tensors

/// What the noise of a class's images shows: a bundle that stands apart by how pixels differ from their neighbours, and
/// what the model makes of that noise in other images.
struct NoiseEvidence: Sendable {
    /// Samples with the class's label that are in the bundle.
    var suspects: [Int]
    var transplant: NoiseTransplant
    var effect: NoiseTransplant.Effect
    /// Of the effect's excess against what the other classes' bundles do.
    var pValue = 1.0
    /// Probability of belonging to the bundle, of every sample with the class's label.
    var posteriors: [Int: Double]
    var unlearning: UnlearningTest.Outcome?

    /// Samples that were planted, of `suspects`.
    ///
    /// The bundle may hold samples that an attacker planted with their own labels, to hide the others. Those that show
    /// another class leave theirs when the others are unlearned. Where most stay, all show what they are labelled as.
    func planted(isCleanLabel: Bool) -> [Int] {
        guard let unlearning, !isCleanLabel else { return suspects }
        return suspects.filter {
            unlearning.leaving.contains($0)
                || (!unlearning.tested.contains($0) && posteriors[$0, default: 0] > Self.almostCertain)
        }
    }

    /// Most of the suspects that were asked stay in the class.
    var mostStay: Bool {
        guard let unlearning else { return false }
        let tested = suspects.filter(unlearning.tested.contains)
        return 2 * tested.count(where: unlearning.leaving.contains) < tested.count
    }

    private static let almostCertain = 0.9
}
