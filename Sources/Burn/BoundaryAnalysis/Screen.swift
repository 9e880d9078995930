import Support

/// The samples that are surveyed at first: some of every given label. The others are predicted, for half the cost, and surveyed
/// where their class comes under suspicion.
///
/// Planted samples have the target's label, and are found once there are some among those that are looked at: of poison that is
/// 0.2 % of a set of ten classes, 1,024 of the target's label hold about twenty. A small set is surveyed as a whole.
package enum Screen {
    /// Of each label, as far as `most` allows it for all labels together.
    static let ofLabel = 1_024
    /// Of all labels together: few labels get more of each, since poison of the same rate is less of a large class.
    static let fewest = 10_240
    /// Of all labels together, unless each would get fewer than `fewestOfLabel`.
    static let most = 32_768
    /// Enough for a class to be one that is compared with all others (`CoherenceNull.fewestOfLarge`), with some that the model sees
    /// another class in.
    static let fewestOfLabel = 72

    /// - Returns: ascending.
    package static func samples(labels: [Int], classes: Int, seed: UInt64) -> [Int] {
        let each = ofEach(of: classes)
        var random = SplitMix64(seed: seed)
        var chosen: [Int] = []
        for (_, own) in Dictionary(grouping: labels.indices, by: { labels[$0] }).sorted(by: {
            $0.key < $1.key
        }) {
            chosen += own.count <= each ? own : random.sample(each, outOf: own.count).map { own[$0] }
        }
        return chosen.sorted()
    }

    /// Samples of a set at most.
    package static func most(of samples: Int, classes: Int) -> Int {
        min(samples, max(1, classes) * ofEach(of: classes))
    }

    /// Samples of each label at most.
    static func ofEach(of classes: Int) -> Int {
        let classes = max(1, classes)
        return max(fewestOfLabel, fewest / classes, min(ofLabel, most / classes))
    }
}
