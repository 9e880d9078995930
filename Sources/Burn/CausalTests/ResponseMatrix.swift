/// Where images of every class go: counts by source class and destination class.
///
/// All-to-one, source-specific and several targets, up to all-to-all, are ways to read it.
struct ResponseMatrix: Hashable, Sendable {
    /// By source, then by destination.
    private var counts: [Int: [Int: Int]] = [:]
    private var totals: [Int: Int] = [:]

    /// - Parameters:
    ///   - sources: the images' own classes.
    ///   - destinations: what the model sees in them, in the same order.
    init(sources: [Int], destinations: [Int]) {
        for (source, destination) in zip(sources, destinations) {
            counts[source, default: [:]][destination, default: 0] += 1
            totals[source, default: 0] += 1
        }
    }

    /// Of both images together.
    static func + (one: ResponseMatrix, other: ResponseMatrix) -> ResponseMatrix {
        var sum = one
        sum.totals.merge(other.totals, uniquingKeysWith: +)
        sum.counts.merge(other.counts) { $0.merging($1, uniquingKeysWith: +) }
        return sum
    }

    var sources: [Int] { totals.keys.sorted() }

    /// Images of a source.
    func tested(_ source: Int) -> Int { totals[source, default: 0] }

    /// Images of other classes.
    func tested(into label: Int) -> Int {
        totals.reduce(0) { $0 + ($1.key == label ? 0 : $1.value) }
    }

    /// Share of a source's images that land in `label`.
    func rate(from source: Int, into label: Int) -> Double {
        Double(counts[source]?[label] ?? 0) / Double(max(tested(source), 1))
    }

    /// Share of all other classes' images that land in `label`.
    func rate(into label: Int) -> Double {
        let hits = counts.reduce(0) { $0 + ($1.key == label ? 0 : $1.value[label, default: 0]) }
        return Double(hits) / Double(max(tested(into: label), 1))
    }

    /// Of the classes with so many images, the one that most of land in `label`.
    func topSource(into label: Int, fewest: Int) -> Int? {
        sources.filter { $0 != label && tested($0) >= fewest }
            .max { (rate(from: $0, into: label), $1) < (rate(from: $1, into: label), $0) }
    }
}
