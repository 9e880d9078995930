import Tensors

/// What the noise of a class's images shows: a bundle that stands apart by how pixels differ from their neighbours, and
/// what the model makes of that noise in other images.
struct NoiseEvidence: Sendable {
    /// Samples with the class's label that are in the bundle.
    var suspects: [Int]
    var transplant: NoiseTransplant
    var effect: NoiseTransplant.Effect
    /// Of the effect's excess against what the other classes' bundles do.
    var effectPValue = 1.0
    /// Probability of belonging to the bundle, of every sample with the class's label.
    var posteriors: [Int: Double]
    var unlearning: UnlearningTest.Outcome?
    /// Of the unlearning test's score against the same test on other classes; nil where that could not be had.
    var unlearningPValue: Double?

    var pValue: Double {
        guard let unlearningPValue else { return effectPValue }
        return Statistics.combined(effectPValue, unlearningPValue)
    }

    /// An effect no more unusual than this is not worth an unlearning test.
    private static let worthTesting = 0.05
    var isWorthTesting: Bool {
        effect.excess >= ClassFinding.weakEffect && effectPValue < Self.worthTesting
    }

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
