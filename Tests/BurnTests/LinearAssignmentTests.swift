import Support
import Testing

@testable import Burn

@Suite struct LinearAssignmentTests {
    private func total(_ weights: [[Int]], _ columns: [Int]) -> Int {
        zip(weights, columns).reduce(0) { $0 + $1.0[$1.1] }
    }

    /// Every assignment, one after the other.
    private func best(_ weights: [[Int]], from row: Int = 0, without taken: Set<Int> = []) -> Int {
        guard row < weights.count else { return 0 }
        return weights[row].indices.filter { !taken.contains($0) }
            .map { weights[row][$0] + best(weights, from: row + 1, without: taken.union([$0])) }.max() ?? 0
    }

    @Test(arguments: 0..<200)
    func itIsAsGoodAsTheBestOfAll(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let rows = 1 + random.below(6)
        let columns = rows + random.below(3)
        let span = [2, 5, 1_000][random.below(3)]
        let weights = (0..<rows).map { _ in (0..<columns).map { _ in random.below(span) - span / 3 } }
        let preferred = (0..<rows).map { Optional($0) }
        let found = LinearAssignment.maximising(weights, preferring: preferred)
        #expect(found.count == rows && Set(found).count == rows)
        #expect(found.allSatisfy { (0..<columns).contains($0) })
        #expect(total(weights, found) == best(weights))
    }

    @Test func ofEqualOnesThePreferredIsTaken() {
        let none = [[Int]](repeating: [0, 0, 0, 0], count: 3)
        #expect(LinearAssignment.maximising(none, preferring: [2, 0, 3]) == [2, 0, 3])
        #expect(LinearAssignment.maximising([[1, 1], [1, 1]], preferring: [1, nil]) == [1, 0])
        #expect(LinearAssignment.maximising([], preferring: []).isEmpty)
    }

    /// A permutation of a thousand, and noise that puts a quarter of the rows in conflict.
    @Test func aThousandTakeNoTime() {
        var random = SplitMix64(seed: 5)
        let count = 1_000
        let order = random.sample(count, outOf: count)
        var weights = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
        for row in 0..<count {
            weights[row][order[row]] = 700 + random.below(300)
            weights[row][random.below(count)] += row.isMultiple(of: 4) ? 1_000 : 200
        }
        let clock = ContinuousClock()
        var found: [Int] = []
        let time = clock.measure {
            found = LinearAssignment.maximising(weights, preferring: (0..<count).map { Optional($0) })
        }
        #expect(Set(found).count == count)
        #expect(total(weights, found) >= total(weights, order))
        #expect(time < .seconds(20), "\(time)")
    }
}
