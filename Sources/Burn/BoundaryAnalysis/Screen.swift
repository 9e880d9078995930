import Findings
import Support

/// The samples that are surveyed at first: some of every given label. The others are predicted, for half the cost, and surveyed
/// where their class comes under suspicion.
///
/// Planted samples have the target's label, and are found once there are some among those that are looked at: of poison that is
/// 0.3 % of a set of ten classes, 512 of the target's label hold about fifteen. A small set is surveyed as a whole.
package struct Screen: Sendable {
    /// For each label that occurs.
    let ofLabel: Int
    /// Of all labels together: few labels get more of each, since poison of the same rate is less of a large class.
    var fewest: Int { 10 * ofLabel }
    /// Of all labels together, unless each would get fewer than `fewestOfLabel`.
    var most: Int { 32 * ofLabel }
    /// Enough for a class to be one that is compared with all others (`CoherenceNull.fewestOfLarge`), with some that the model sees
    /// another class in.
    static let fewestOfLabel = 72

    package init(_ parameters: Parameters) { ofLabel = Int(parameters.surveyedOfLabel) }

    /// - Returns: ascending.
    package func samples(labels: [Int], seed: UInt64) -> [Int] {
        let groups = Dictionary(grouping: labels.indices) { labels[$0] }
        let each = ofEach(groups.values.map(\.count))
        var random = SplitMix64(seed: seed)
        var chosen: [Int] = []
        for (_, own) in groups.sorted(by: { $0.key < $1.key }) {
            chosen += own.count <= each ? own : random.sample(each, outOf: own.count).map { own[$0] }
        }
        return chosen.sorted()
    }

    /// Samples of a set at most.
    package func most(of samples: Int, labels: Int) -> Int { min(samples, budget(labels)) }

    private func budget(_ labels: Int) -> Int {
        max(Self.fewestOfLabel * labels, fewest, min(ofLabel * labels, most))
    }

    /// Samples of each label at most: what small ones leave is for the others.
    /// - Parameter sizes: of the labels that occur.
    func ofEach(_ sizes: [Int]) -> Int {
        var left = budget(sizes.count)
        for (rank, size) in sizes.sorted().enumerated() {
            let share = left / (sizes.count - rank)
            if size > share { return share }
            left -= size
        }
        return sizes.max() ?? 0
    }
}
