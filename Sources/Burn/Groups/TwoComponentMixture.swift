import Foundation

/// Two normal distributions fitted to numbers by expectation maximisation.
///
/// The cosines of a clean class to its most common direction have one mode; poisoned samples form a second,
/// higher one. `separation` is Ashman's D (Ashman, Bird and Zepf, "Detecting bimodality in astronomical
/// datasets", 1994): above 2 the modes are cleanly apart.
struct TwoComponentMixture: Hashable, Sendable {
    var means: [Double]
    var deviations: [Double]
    var weights: [Double]
    /// Of one of the modes, where it was looked for and is there.
    var tail: TailedMode?

    /// From a mode's tail to the other mode, where there is one.
    var separation: Double {
        var (nearest, spreads) = (means, deviations)
        if let tail {
            let mode = tail.isUpper ? 1 : 0
            (nearest[mode], spreads[mode]) = (tail.mean, tail.deviation)
        }
        let variance = spreads[0] * spreads[0] + spreads[1] * spreads[1]
        return 2.0.squareRoot() * (nearest[1] - nearest[0]) / max(variance, 1e-12).squareRoot()
    }

    /// Of the negated values.
    var mirrored: TwoComponentMixture {
        var mirrored = self
        mirrored.means = means.reversed().map { -$0 }
        mirrored.deviations.reverse()
        mirrored.weights.reverse()
        mirrored.tail = tail?.mirrored
        return mirrored
    }

    /// Which of several fits is the one.
    enum Choice: Hashable, Sendable {
        case likeliest
        /// For values whose lower mode has long tails by nature: the likeliest fit's upper mode would be the tails.
        case mostSeparate
        /// With such a tail as a component of its own, where there is one.
        case tailed
    }

    /// The best of the fits that start from these splits: `upper` (which values are in the upper mode),
    /// the split that separates the values' variance best (Otsu 1979), and the top twentieth. One start alone
    /// may settle on the tip of a mode.
    init(fitting values: [Double], upper: Set<Int>, choice: Choice = .likeliest) {
        let sorted = values.sorted()
        let grouped = GroupedValues(sorted)
        let cuts = [Self.otsuCut(sorted), Statistics.quantile(sorted, 0.95)]
        let starts = [values.indices.map { upper.contains($0) }] + cuts.map { cut in values.map { $0 > cut } }
        let fits = starts.filter { $0.contains(true) && $0.contains(false) }
            .map { Self(fitting: values, grouped, split: $0) }
        let best =
            switch choice {
            case .likeliest, .tailed: fits.max { $0.logLikelihood(values) < $1.logLikelihood(values) }
            case .mostSeparate: fits.max { $0.separation < $1.separation }
            }
        self = best ?? Self(fitting: values, grouped, split: values.map { _ in false })
        if choice == .tailed, let tailed = withTail(values) { self = tailed }
    }

    /// Expectation maximisation from one start.
    private init(
        fitting values: [Double], _ grouped: GroupedValues, split: [Bool], iterations: Int = 100
    ) {
        means = [0, 1]
        deviations = [1, 1]
        weights = [0.5, 0.5]
        var sums = Sums()
        for (value, isUpper) in zip(values, split) {
            sums.add(.init(count: 1, sum: value, squares: value * value), upper: isUpper ? 1 : 0)
        }
        maximise(sums)
        for _ in 0..<iterations {
            let before = means
            let posterior = Posterior(self)
            sums = Sums()
            for group in grouped.groups { sums.add(group, upper: posterior.upper(group.mean)) }
            maximise(sums)
            if abs(before[0] - means[0]) + abs(before[1] - means[1]) < 1e-4 { break }
        }
        if means[0] > means[1] {
            means.swapAt(0, 1)
            deviations.swapAt(0, 1)
            weights.swapAt(0, 1)
        }
    }

    /// A mixture's posterior with all that does not depend on the value worked out.
    private struct Posterior {
        var low, high, lowScale, highScale, offset: Double

        init(_ mixture: TwoComponentMixture) {
            (low, high) = (mixture.means[0], mixture.means[1])
            lowScale = 0.5 / (mixture.deviations[0] * mixture.deviations[0])
            highScale = 0.5 / (mixture.deviations[1] * mixture.deviations[1])
            offset =
                log(max(mixture.weights[0], 1e-12) / mixture.deviations[0])
                - log(max(mixture.weights[1], 1e-12) / mixture.deviations[1])
        }

        func upper(_ value: Double) -> Double {
            let (below, above) = (value - low, value - high)
            return 1 / (1 + exp(offset - below * below * lowScale + above * above * highScale))
        }
    }

    /// What one pass over the values gathers for both modes.
    private struct Sums {
        var total = 0.0
        var value = 0.0
        var square = 0.0
        var upper = 0.0
        var upperValue = 0.0
        var upperSquare = 0.0

        mutating func add(_ group: GroupedValues.Group, upper share: Double) {
            total += group.count
            value += group.sum
            square += group.squares
            upper += share * group.count
            upperValue += share * group.sum
            upperSquare += share * group.squares
        }
    }

    static func otsuCut(_ sorted: [Double]) -> Double {
        let total = sorted.reduce(0, +)
        let count = Double(sorted.count)
        var below = 0.0
        var best = (cut: sorted.last ?? 0, variance: -1.0)
        for (index, value) in sorted.enumerated().dropLast() {
            below += value
            let low = Double(index + 1)
            let gap = below / low - (total - below) / (count - low)
            let variance = low * (count - low) * gap * gap
            if variance > best.variance { best = (value, variance) }
        }
        return best.cut
    }

    private func logLikelihood(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + logDensity($1) }
    }

    func logDensity(_ value: Double) -> Double {
        log(max(density(0, value) + density(1, value) + (tail?.density(value) ?? 0), 1e-300))
    }

    /// Of one mode, without its tail.
    private func density(_ mode: Int, _ value: Double) -> Double {
        let z = (value - means[mode]) / deviations[mode]
        return weights[mode] / deviations[mode] * exp(-z * z / 2)
    }

    /// How much better two modes explain the values than one normal distribution does: the log-likelihood ratio
    /// in nats, to which no value brings more than `largestPart`, so that a few near-duplicates count as few. Where one mode has a
    /// tail, how much better than two normal distributions.
    ///
    /// - Parameter values: those that it was fitted to.
    func gain(_ values: [Double]) -> Double {
        if let tail {
            return zip(values, tail.without).reduce(0) {
                $0 + min(Self.largestPart, logDensity($1.0) - $1.1)
            }
        }
        let count = Double(max(values.count, 1))
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let deviation = max(variance.squareRoot(), Self.narrowest)
        return values.reduce(0) { sum, value in
            let z = (value - mean) / deviation
            return sum + min(Self.largestPart, logDensity(value) - (-log(deviation) - z * z / 2))
        }
    }

    private static let largestPart = 3.0

    /// Probability that a value belongs to the upper mode; monotone in the value.
    func posterior(_ value: Double) -> Double {
        if value <= means[0] { return 0 }
        if value >= means[1] { return 1 }
        return rawPosterior(value)
    }

    /// Narrower modes are an artefact of few values.
    static let narrowest = 0.01

    private func rawPosterior(_ value: Double) -> Double {
        guard let tail else { return Posterior(self).upper(value) }
        let (lower, upper, part) = (density(0, value), density(1, value), tail.density(value))
        return (upper + (tail.isUpper ? part : 0)) / max(lower + upper + part, 1e-300)
    }

    private mutating func maximise(_ sums: Sums) {
        let parts = [
            (sums.total - sums.upper, sums.value - sums.upperValue, sums.square - sums.upperSquare),
            (sums.upper, sums.upperValue, sums.upperSquare),
        ]
        for (k, part) in parts.enumerated() where part.0 > 1 {
            means[k] = part.1 / part.0
            let variance = max(part.2 / part.0 - means[k] * means[k], 0)
            deviations[k] = max(variance.squareRoot(), Self.narrowest)
            weights[k] = part.0 / max(sums.total, 1)
        }
    }
}
