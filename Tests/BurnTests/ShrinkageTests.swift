import Support
import Tensors
import Testing

@testable import Burn

/// How far a covariance of few images is to be trusted.
@Suite struct ShrinkageTests {
    /// Rows (n, width) with these deviations.
    private func rows(_ count: Int, deviations: [Double], seed: UInt64) -> [[Double]] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in deviations.map { $0 * random.normal() } }
    }

    private func noise(_ rows: [[Double]]) throws -> Double {
        let width = rows[0].count
        let values = try Tensor(rows.flatMap { $0.map(Float.init) }, shape: [rows.count, width])
        let centred = try values - values.mean([0])
        let covariance = try centred.transpose().matmul(centred) / Double(rows.count)
        let fourth = try Double(centred.square().sum([1]).square().sum().item(as: Float.self))
        return try ImageWhitening.noise(of: covariance, fourth, rows.count)
    }

    /// Against the definition: the mean squared distance of every row's own matrix to their mean, over that of the mean to a
    /// multiple of the identity.
    @Test func theShareIsThatOfTheDefinition() throws {
        let rows = rows(60, deviations: [3, 2, 1, 0.5], seed: 5)
        let (count, width) = (Double(rows.count), rows[0].count)
        let mean = (0..<width).map { place in rows.reduce(0) { $0 + $1[place] } / count }
        let centred = rows.map { row in zip(row, mean).map { $0 - $1 } }
        var covariance = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
        for row in centred {
            for i in 0..<width { for j in 0..<width { covariance[i][j] += row[i] * row[j] / count } }
        }
        let usual = (0..<width).reduce(0) { $0 + covariance[$1][$1] } / Double(width)
        func distance(_ matrix: (Int, Int) -> Double, _ other: (Int, Int) -> Double) -> Double {
            var sum = 0.0
            for i in 0..<width {
                for j in 0..<width {
                    sum += (matrix(i, j) - other(i, j)) * (matrix(i, j) - other(i, j))
                }
            }
            return sum / Double(width)
        }
        let spread = distance({ covariance[$0][$1] }, { $0 == $1 ? usual : 0 })
        let error =
            centred.reduce(0) { sum, row in
                sum + distance({ row[$0] * row[$1] }, { covariance[$0][$1] })
            } / (count * count)
        let share = error / spread
        let found = try noise(rows)
        #expect(abs(found - share / (1 - share) * usual) < 1e-4 * found)
    }

    /// Many images are trusted, few are not; values that all vary alike have nothing to be told apart by.
    @Test func moreImagesNeedLess() throws {
        let deviations = (1...16).map { 1 / Double($0) }
        let few = try noise(rows(40, deviations: deviations, seed: 7))
        let many = try noise(rows(4000, deviations: deviations, seed: 7))
        #expect(few > 20 * many && many > 0)
        let alike = try noise(rows(200, deviations: [Double](repeating: 1, count: 16), seed: 8))
        #expect(alike > 3, "mostly one variance for all")
        #expect(try noise(rows(10, deviations: [0, 0], seed: 9)) > 0, "nothing varies")
    }
}
