/// What a model predicts for samples of each class of a data set.
struct AgreementTally: Sendable {
    /// The output that each class is taken to stand for.
    let current: [Int]
    /// Number of the model's outputs.
    let outputs: Int
    /// Samples of each class in the whole set.
    let sizes: [Int]
    /// Of those that were looked at: class, then output, to how many are predicted as it.
    private(set) var counts: [[Int: Int]]
    private(set) var samples: [Int]
    private var confidence: [Double]

    init(current: [Int], outputs: Int, sizes: [Int]) {
        self.current = current
        self.outputs = outputs
        self.sizes = sizes
        counts = Array(repeating: [:], count: current.count)
        samples = Array(repeating: 0, count: current.count)
        confidence = Array(repeating: 0, count: current.count)
    }

    mutating func add(of place: Int, predicted output: Int, confidence value: Double) {
        counts[place][output, default: 0] += 1
        samples[place] += 1
        confidence[place] += value
    }

    /// What both have seen.
    static func + (one: AgreementTally, other: AgreementTally) -> AgreementTally {
        var sum = one
        for place in one.current.indices {
            sum.counts[place].merge(other.counts[place], uniquingKeysWith: +)
            sum.samples[place] += other.samples[place]
            sum.confidence[place] += other.confidence[place]
        }
        return sum
    }

    var total: Int { samples.reduce(0, +) }

    func hits(_ place: Int, _ output: Int) -> Int { counts[place][output, default: 0] }

    /// The share of the whole set that is predicted as `order` says: classes count by their size.
    func share(of order: [Int]) -> Double {
        weighted { Double(hits($0, order[$0])) / Double(samples[$0]) }
    }

    /// Mean confidence, weighted likewise.
    var promised: Double { weighted { confidence[$0] / Double(samples[$0]) } }

    private func weighted(_ value: (Int) -> Double) -> Double {
        let seen = samples.indices.filter { samples[$0] > 0 }
        let size = seen.reduce(0) { $0 + sizes[$1] }
        return seen.reduce(0) { $0 + value($1) * Double(sizes[$1]) } / Double(max(size, 1))
    }

    /// The order that agrees with the most predictions, each class counting alike, if `places` may have any outputs but those
    /// of the others. Of equal ones, the nearest to the current.
    func bestOrder(moving places: [Int]) -> [Int] {
        let moving = places.filter { samples[$0] > 0 }
        var taken = Set(current)
        for place in moving { taken.remove(current[place]) }
        var columns = Set(moving.map { current[$0] })
        for place in moving { columns.formUnion(counts[place].keys.filter { !taken.contains($0) }) }
        let names = columns.sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
        // In thousandths of the class's samples, so that large classes do not decide for small ones.
        let weights = moving.map { place in
            var row = Array(repeating: 0, count: names.count)
            for (output, count) in counts[place] {
                if let column = places[output] { row[column] = 1_000 * count / samples[place] }
            }
            return row
        }
        let found = LinearAssignment.maximising(weights, preferring: moving.map { places[current[$0]] })
        var order = current
        for (place, column) in zip(moving, found) { order[place] = names[column] }
        return order
    }

    /// How often predictions would equal given labels if they had nothing to do with each other.
    var chance: Double {
        guard samples.count(where: { $0 > 0 }) > 1 else { return 1 / Double(max(outputs, 1)) }
        let total = Double(max(total, 1))
        var predicted: [Int: Int] = [:]
        for row in counts { predicted.merge(row, uniquingKeysWith: +) }
        return current.indices.reduce(0) {
            $0 + Double(samples[$1]) / total * Double(predicted[current[$1], default: 0]) / total
        }
    }

    var agreeing: Int { current.indices.reduce(0) { $0 + hits($1, current[$1]) } }
}
