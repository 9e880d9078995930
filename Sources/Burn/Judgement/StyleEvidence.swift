import Findings
import Tensors

/// What the style of a class's images shows: a bundle that stands apart by its noise or its tones, and what the model makes
/// of them: where they are put in, and where they are taken out.
struct StyleEvidence: Sendable {
    var style: ImageStyle
    /// Samples with the class's label that are in the bundle.
    var suspects: [Int]
    var transplant: any StyleTransplant
    /// Shares of other classes' images that land in the class with the bundle's style, and with each other's.
    var insertion: ControlledEffect
    /// Shares of the class's other samples, and of the bundle's, that stay with a style that is not the bundle's; nil where
    /// putting it in does so little that this was not asked.
    var removal: ControlledEffect?
    /// Of `excess` against what the other classes' bundles do.
    var effectPValue = 1.0
    /// Probability of belonging to the bundle, of every sample with the class's label.
    var posteriors: [Int: Double]
    var unlearning: UnlearningTest.Outcome?
    /// How well the bundle is unlearned, and the p-value of that against other classes' bundles; asked where the two
    /// effects leave doubt.
    var unlearned: (score: Double, pValue: Double)?

    var pValue: Double {
        unlearned.map { Statistics.combined(effectPValue, $0.pValue) } ?? effectPValue
    }

    /// Samples of the bundle or of the class's others, whichever are fewer.
    var smallerSide: Int { min(suspects.count, posteriors.count - suspects.count) }

    /// An effect that is none can't hide another style's.
    func isStronger(than other: StyleEvidence, _ parameters: Parameters) -> Bool {
        func isEffective(_ evidence: StyleEvidence) -> Bool {
            evidence.excess >= evidence.style.leastEffect(parameters)
        }
        return isEffective(self) == isEffective(other) ? pValue < other.pValue : isEffective(self)
    }

    /// What the style does at least: the weaker of the two effects, or more where one alone is known.
    var excess: Double { removal.map { min(insertion.excess, $0.excess) } ?? insertion.excess }

    /// Taking the style out is the cleaner test: what goes along with it is a part of the trigger, so that a weaker effect
    /// of that counts where putting it in does more.
    var strength: Double {
        removal.map { max($0.excess, (insertion.excess + $0.excess) / 2) } ?? insertion.excess
    }

    /// Samples that were planted, ascending.
    ///
    /// The bundle may hold samples that an attacker planted with their own labels, to hide the others, and a faint
    /// style is found in a part of its carriers only. Those that show another class leave theirs when the others are unlearned.
    /// Both look at a sample independently: leaving multiplies the odds of the style by how much more often it happens
    /// in the bundle than beside it. What stays is not planted, whatever style it has.
    var planted: [Int] {
        guard let unlearning else { return suspects }
        let weight = leavingRatio(unlearning)
        return posteriors.filter { sample, posterior in
            guard unlearning.leaving.contains(sample) else {
                return posterior > Self.almostCertain && !unlearning.tested.contains(sample)
            }
            return posterior * weight > 1 - posterior
        }.keys.sorted()
    }

    /// At least 1; too small rather than too large, since carriers beside the bundle leave as well.
    private func leavingRatio(_ unlearning: UnlearningTest.Outcome) -> Double {
        let inside = Set(suspects)
        func share(_ samples: Set<Int>) -> Double {
            Statistics.cautiousShare(samples.intersection(unlearning.leaving).count, of: samples.count)
        }
        return max(
            1, share(unlearning.tested.intersection(inside)) / share(unlearning.tested.subtracting(inside)))
    }

    private static let almostCertain = 0.9
}
