/// Whether one group of numbers is larger than another, by ranks alone (Mann and Whitney, "On a test of whether one of two random
/// variables is stochastically larger than the other", 1947).
struct RankComparison: Hashable, Sendable {
    /// Probability that one of the group is larger than one of the others, ties counting half: the area under the ROC curve.
    var auroc: Double
    /// Of `auroc`, where the group is a random part of all numbers; smaller with ties.
    var deviation: Double

    /// Nil where one of them is empty.
    init?(_ group: [Double], against others: [Double]) {
        guard !group.isEmpty, !others.isEmpty else { return nil }
        let sorted = (group.map { ($0, true) } + others.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var (wins, below, ties) = (0.0, 0, 0.0)
        var start = 0
        while start < sorted.count {
            var end = start
            while end < sorted.count, sorted[end].0 == sorted[start].0 { end += 1 }
            let own = sorted[start..<end].count { $0.1 }
            let equal = end - start - own
            wins += Double(own) * (Double(below) + Double(equal) / 2)
            below += equal
            let tied = Double(end - start)
            ties += tied * tied * tied - tied
            start = end
        }
        let (n, m, all) = (Double(group.count), Double(others.count), Double(sorted.count))
        auroc = wins / (n * m)
        deviation = ((all + 1 - ties / (all * (all - 1))) / (12 * n * m)).squareRoot()
    }
}
