/// Which samples have which label, so that nothing has to go through all samples for every class.
struct LabelledSamples: Sendable {
    private let samples: [[Int]]
    private let total: Int

    init(_ labels: [Int], classes: Int) {
        var samples = [[Int]](repeating: [], count: classes)
        for (sample, label) in labels.enumerated() { samples[label].append(sample) }
        self.samples = samples
        total = labels.count
    }

    /// Ascending.
    subscript(label: Int) -> [Int] { samples[label] }

    func count(of label: Int) -> Int { samples[label].count }

    /// Samples with other labels, evenly chosen: all of them, or at least `wanted` and fewer than twice as many. Ascending.
    func others(than label: Int, atLeast wanted: Int) -> [Int] {
        let own = samples[label]
        let count = total - own.count
        var passed = 0
        return stride(from: 0, to: count, by: max(1, count / max(1, wanted))).map { rank in
            // The sample that so many of the others come before.
            while passed < own.count, own[passed] - passed <= rank { passed += 1 }
            return rank + passed
        }
    }
}
