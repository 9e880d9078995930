import Foundation

/// Small statistics that the verdict rests on.
enum Statistics {
    /// One-sided p-value of `value` against what `null` shows, for values that are roughly normal: Student's t of a further
    /// value of the same kind. 1 for fewer than two to compare with, or none where the natural spread is known.
    ///
    /// - Parameters:
    ///   - natural: the spread that other models show, for a null of few values.
    ///   - chance: the deviation that the way of measuring alone gives; the null's is taken to be no smaller.
    static func pValue(
        of value: Double, against null: [Double], natural: NaturalSpread? = nil, chance: Double = 0
    ) -> Double {
        guard null.count > (natural == nil ? 1 : 0) else { return 1 }
        var (mean, variance) = moments(null)
        var freedom = Double(null.count - 1)
        if let natural, freedom < NaturalSpread.enough {
            let known = natural.freedom * natural.deviation * natural.deviation
            variance = (freedom * variance + known) / (freedom + natural.freedom)
            freedom += natural.freedom
        }
        return tail(
            of: value, mean: mean, variance: max(variance, chance * chance), of: null.count, freedom: freedom)
    }

    /// The same where the values spread by `chance` and, perhaps, by more: only what is beyond chance has to be estimated
    /// (Satterthwaite, Biometrics Bulletin 2, 1946).
    static func pValue(of value: Double, against null: [Double], atLeastBinomial chance: Double) -> Double {
        guard null.count > 1 else { return 1 }
        let (mean, variance) = moments(null)
        let (all, beyond) = (max(variance, chance * chance), max(0, variance - chance * chance))
        let ratio = all / max(beyond, 1e-12)
        return tail(
            of: value, mean: mean, variance: all, of: null.count,
            freedom: min(mostFreedom, Double(null.count - 1) * ratio * ratio))
    }

    /// Beyond so many degrees, Student's distribution is a normal one.
    private static let mostFreedom = 1000.0

    private static func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1)))
    }

    private static func tail(
        of value: Double, mean: Double, variance: Double, of count: Int, freedom: Double
    ) -> Double {
        let deviation = (variance * (1 + 1 / Double(count))).squareRoot()
        return studentTail((value - mean) / max(deviation, 1e-12), freedom: freedom)
    }

    /// Of one of `values` against all others; nil where there is none at `index`.
    static func pValue(
        at index: Int, among values: [Double?], natural: NaturalSpread? = nil, chance: Double = 0
    ) -> Double? {
        values[index].map { value in
            let others = values.indices.filter { $0 != index }.compactMap { values[$0] }
            return pValue(of: value, against: others, natural: natural, chance: chance)
        }
    }

    /// P(T > t) of Student's distribution, by Simpson's rule on the angle atan(t / √ν): the density becomes
    /// proportional to cos^(ν-1).
    static func studentTail(_ t: Double, freedom: Double) -> Double {
        func integral(_ from: Double, _ to: Double) -> Double {
            let steps = 2000
            let width = (to - from) / Double(steps)
            return (0...steps).reduce(0) { sum, step in
                let weight = step == 0 || step == steps ? 1.0 : step % 2 == 1 ? 4 : 2
                return sum + weight * pow(max(cos(from + Double(step) * width), 0), freedom - 1)
            } * width / 3
        }
        let angle = atan(t / freedom.squareRoot())
        return min(1, max(0, integral(angle, .pi / 2) / integral(-.pi / 2, .pi / 2)))
    }

    /// The smallest of the absolute standard scores that may be called significant if a share of `rate` of those so
    /// called may be chance (Benjamini and Hochberg, 1995); infinite where none may.
    static func significantScore(_ scores: [Float], falseDiscoveryRate rate: Double) -> Double {
        let sorted = scores.map { Double(abs($0)) }.filter(\.isFinite).sorted(by: >)
        let last = sorted.indices.last { place in
            erfc(sorted[place] / 2.0.squareRoot()) <= rate * Double(place + 1) / Double(sorted.count)
        }
        return last.map { sorted[$0] } ?? .infinity
    }

    /// Fisher's combination of independent p-values (1932): their product's tail, χ² with two degrees of freedom for each.
    static func combined(_ pValues: Double...) -> Double {
        let product = max(pValues.reduce(1, *), 1e-300)
        let terms = pValues.indices.dropFirst().reduce(into: [1.0]) { terms, order in
            terms.append(terms[order - 1] * -log(product) / Double(order))
        }
        return min(1, product * terms.reduce(0, +))
    }

    /// The Cauchy combination (Liu and Xie, JASA 115, 2020): of p-values that may depend on each other; where it is small, it is
    /// right however they do.
    static func combinedOfDependent(_ pValues: Double...) -> Double {
        let mean =
            pValues.reduce(0) { $0 + tan((0.5 - min(max($1, 1e-15), mostCombined)) * .pi) }
            / Double(max(1, pValues.count))
        return 0.5 - atan(mean) / .pi
    }

    /// One p-value near 1 would outweigh all others.
    private static let mostCombined = 0.99

    /// One-sided p-value of one proportion being larger than another (pooled normal approximation).
    static func pValue(of hits: Int, of total: Int, against otherHits: Int, of otherTotal: Int) -> Double {
        guard total > 0, otherTotal > 0 else { return 1 }
        let share = Double(hits) / Double(total)
        let other = Double(otherHits) / Double(otherTotal)
        let pooled = cautiousShare(hits + otherHits, of: total + otherTotal)
        let variance = pooled * (1 - pooled) * (1 / Double(total) + 1 / Double(otherTotal))
        return erfc((share - other) / (2 * variance).squareRoot()) / 2
    }

    /// P(X >= hits) of a binomial distribution.
    static func binomialTail(_ hits: Int, of total: Int, rate: Double) -> Double {
        guard hits > 0 else { return 1 }
        guard hits <= total, rate > 0 else { return 0 }
        guard rate < 1 else { return 1 }
        // The first term by its logarithm, the others each from the one before.
        var logarithm = Double(hits) * log(rate) + Double(total - hits) * log1p(-rate)
        for count in 0..<hits { logarithm += log(Double(total - count) / Double(count + 1)) }
        var (term, sum) = (exp(logarithm), 0.0)
        let odds = rate / (1 - rate)
        for count in hits...total {
            sum += term
            term *= odds * Double(total - count) / Double(count + 1)
        }
        return min(1, sum)
    }

    /// A share with one of each kind added: a share of nothing is unknown, not 0.
    static func cautiousShare(_ hits: Int, of total: Int) -> Double { Double(hits + 1) / Double(total + 2) }

    /// Wilson's 95 % interval of a proportion.
    static func wilson(_ hits: Int, of total: Int) -> [Double] {
        guard total > 0 else { return [0, 1] }
        let (n, p, z) = (Double(total), Double(hits) / Double(total), 1.96)
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return [max(0, centre - half), min(1, centre + half)]
    }

    static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    static func quantile(_ values: [Double], _ q: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, max(0, Int(q * Double(sorted.count))))]
    }
}
