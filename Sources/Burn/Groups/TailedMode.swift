import Foundation

/// A lower mode with a tail, as two normal distributions, beside an upper one: what a third component adds to
/// `TwoComponentMixture`.
///
/// A class that has few others has few ways out, and its images show each of them more or less: their cosines to a common direction
/// have a long tail. Two normal distributions take that tail and a bundle beyond it for one wide mode, however tight the bundle.
struct TailedMode: Hashable, Sendable {
    var mean: Double
    var deviation: Double
    var weight: Double
    /// It belongs to the upper mode: the values were negated.
    var isUpper = false
    /// Log-likelihood of each value under two normal distributions alone, in their order.
    var without: [Double]

    /// Of the negated values.
    var mirrored: TailedMode {
        var mirrored = self
        mirrored.mean = -mean
        mirrored.isUpper.toggle()
        return mirrored
    }

    /// Up to the constant that all of a mixture's densities have in common.
    func density(_ value: Double) -> Double {
        let z = (value - mean) / deviation
        return weight / deviation * exp(-z * z / 2)
    }
}

extension TwoComponentMixture {
    /// Share of the lower values that the tail begins with, and the iterations that it may take to settle.
    private static let tailAtFirst = 0.2
    private static let tailIterations = 60

    /// The same values with a tail in the lower mode, where that explains them better than its three numbers more do by chance
    /// (Bayesian information criterion: Schwarz, "Estimating the dimension of a model", 1978). Else nil.
    func withTail(_ values: [Double]) -> TwoComponentMixture? {
        let sorted = values.sorted()
        var components = Self.begin(sorted)
        guard components.count == 3 else { return nil }
        let grouped = GroupedValues(sorted)
        var likelihood = -Double.infinity
        for _ in 0..<Self.tailIterations {
            let before = likelihood
            (components, likelihood) = Self.step(components, grouped, of: Double(values.count))
            guard likelihood - before > 1e-4 * Double(values.count) else { break }
        }
        components.sort { $0.mean < $1.mean }
        let alone = values.map { logDensity($0) }
        let penalty = 1.5 * log(Double(values.count))
        guard likelihood > alone.reduce(0, +) + penalty else { return nil }
        // The heavier of the two is the mode, the other its tail.
        let lower = components[0].weight >= components[1].weight ? [0, 1] : [1, 0]
        let (mode, tail, upper) = (components[lower[0]], components[lower[1]], components[2])
        var mixture = self
        mixture.means = [mode.mean, upper.mean]
        mixture.deviations = [mode.deviation, upper.deviation]
        mixture.weights = [mode.weight, upper.weight]
        mixture.tail = TailedMode(
            mean: tail.mean, deviation: tail.deviation, weight: tail.weight, without: alone)
        return mixture
    }

    private typealias Normal = (mean: Double, deviation: Double, weight: Double)

    /// The upper values by the split that parts them best, the tail as the next ones.
    private static func begin(_ sorted: [Double]) -> [Normal] {
        let cut = otsuCut(sorted)
        let below = sorted.prefix { $0 <= cut }
        let tail = Int(Double(below.count) * tailAtFirst)
        let parts = [below.dropLast(tail), below.suffix(tail), sorted.dropFirst(below.count)]
        guard parts.allSatisfy({ $0.count > 1 }) else { return [] }
        return parts.map { part in
            let count = Double(part.count)
            let mean = part.reduce(0, +) / count
            let variance = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            return (mean, max(variance.squareRoot(), narrowest), count / Double(sorted.count))
        }
    }

    /// One step of expectation maximisation.
    /// - Returns: with the log-likelihood, up to a constant, of the components that were given.
    private static func step(
        _ normals: [Normal], _ values: GroupedValues, of count: Double
    ) -> (normals: [Normal], likelihood: Double) {
        var sums = [(total: Double, value: Double, square: Double)](
            repeating: (0, 0, 0), count: normals.count)
        var likelihood = 0.0
        var densities = [Double](repeating: 0, count: normals.count)
        for group in values.groups {
            let value = group.mean
            var density = 0.0
            for (k, normal) in normals.enumerated() {
                let z = (value - normal.mean) / normal.deviation
                densities[k] = normal.weight / normal.deviation * exp(-z * z / 2)
                density += densities[k]
            }
            density = max(density, 1e-300)
            likelihood += group.count * log(density)
            for k in normals.indices {
                let part = densities[k] / density
                sums[k].total += part * group.count
                sums[k].value += part * group.sum
                sums[k].square += part * group.squares
            }
        }
        let next = zip(normals, sums).map { normal, sum -> Normal in
            guard sum.total > 1 else { return normal }
            let mean = sum.value / sum.total
            let variance = max(sum.square / sum.total - mean * mean, 0)
            return (mean, max(variance.squareRoot(), narrowest), sum.total / count)
        }
        return (next, likelihood)
    }
}
