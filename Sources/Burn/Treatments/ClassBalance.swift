extension TrainingPool {
    /// A class's trusted samples are drawn this many times as often at most.
    private static let mostRepeats = 2.0
    /// Less is chance.
    private static let leastRepeats = 1.2

    /// The trusted samples, those of `classes` of which less than of most is trusted more than once: of a class under suspicion only a
    /// part is, and a model that sees so few of it would take the others for what resembles them.
    ///
    /// - Parameter labels: given, of all samples.
    func balanced(_ classes: Set<Int>, labels: [Int]) -> [Int] {
        guard !clean.isEmpty else { return [] }
        let flagged = Set(poison + doubtful)
        var all: [Int: Int] = [:]
        for sample in labels.indices where !flagged.contains(sample) { all[labels[sample], default: 0] += 1 }
        let trusted = Dictionary(grouping: clean) { labels[$0] }
        let needs = trusted.mapValues { Double(all[labels[$0[0]], default: 0]) / Double($0.count) }
        let usual = Statistics.median(Array(needs.values))
        let further = classes.sorted().flatMap { label -> [Int] in
            let (own, repeats) = (
                trusted[label, default: []], min(Self.mostRepeats, needs[label, default: 0] / usual)
            )
            guard repeats >= Self.leastRepeats else { return [] }
            let further = Int((repeats - 1) * Double(own.count))
            // Evenly chosen: files may lie in the order of their sources.
            return (0..<further).map { own[$0 * own.count / further] }
        }
        return clean + further
    }
}
