import Findings

/// The causal test: does an estimated trigger send other classes' images into the class?
///
/// It is run on images that had no part in the estimate, beside a random direction of the same norm.
package struct TriggerEffect: Sendable {
    /// Which of the trigger's mechanisms, and how strong.
    package var form: TriggerForm
    /// Share of all tested images that land in the class.
    package var rate: Double
    /// The same for a random direction of the same norm.
    package var random: Double
    /// Of the source class most affected: its label, share, and share under the random direction.
    package var topSource: Int
    package var topSourceRate: Double
    package var topSourceRandom: Double
    package var tested: Int
    /// Images of the most affected source.
    package var topSourceTested = 0

    /// How far beyond chance the trigger works. The most affected source counts by half: it is the largest of
    /// many, and a trigger made for it moves most of it.
    package var excess: Double { max(rate - random, sourceSpecific ? topSourceExcess / 2 : 0) }
    /// That the images which land in the class do so by chance; of the most affected source where the others stay.
    var samplingPValue: Double {
        let (share, control, count) =
            sourceSpecific ? (topSourceRate, topSourceRandom, topSourceTested) : (rate, random, tested)
        return ControlledEffect(rate: share, control: control, tested: count, controls: count).samplingPValue
    }
    /// How far beyond chance the most affected source is moved.
    package var topSourceExcess: Double { topSourceRate - topSourceRandom }
    /// One source is moved while the others stay: an all-to-all or source-specific trigger.
    package var sourceSpecific: Bool { topSourceExcess > 2 * (rate - random) }

    /// What `excess` is at most, whatever the random direction does.
    var mostExcess: Double { max(rate, topSourceRate / 2) }

    /// The effect that a trigger is known by: the largest, or that of an exact mechanism where that is nearly as large.
    package static func decisive(_ effects: [TriggerEffect], _ parameters: Parameters) -> TriggerEffect? {
        let largest = effects.max { $0.excess < $1.excess }
        let exact = effects.filter(\.form.isExact).max { $0.excess < $1.excess }
        guard let largest, let exact, exact.excess >= parameters.workingEffect,
            exact.excess >= parameters.exactPreference * largest.excess
        else { return largest }
        return exact
    }
}
