import Findings
import Foundation
import Support
import Testing

@testable import Burn

@Suite struct StatisticsTests {
    @Test(arguments: [
        (2.228, 10.0, 0.025), (1.812, 10, 0.05), (12.706, 1, 0.025), (2.776, 4, 0.025), (3.169, 10, 0.005),
        (1.962, 1000, 0.025), (0, 7, 0.5), (-2.228, 10, 0.975),
    ])
    func studentsTailAgreesWithTheTables(t: Double, freedom: Double, tail: Double) {
        #expect(abs(Statistics.studentTail(t, freedom: freedom) - tail) < 1e-4)
    }

    @Test func wilsonsIntervalAgreesWithKnownValues() {
        func close(_ found: [Double], _ low: Double, _ high: Double) -> Bool {
            found.count == 2 && abs(found[0] - low) < 1e-3 && abs(found[1] - high) < 1e-3
        }
        #expect(close(Statistics.wilson(5, of: 50), 0.0435, 0.2136))
        #expect(close(Statistics.wilson(0, of: 10), 0, 0.2775))
        #expect(close(Statistics.wilson(10, of: 10), 0.7225, 1))
        #expect(Statistics.wilson(0, of: 0) == [0, 1])
    }

    /// Benjamini and Hochberg's own example (1995, table of 15 p-values): four are significant at a rate of 0.05.
    @Test func falseDiscoveriesAreBounded() {
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ]
        // The scores of these two-sided p-values, by bisection.
        let scores = p.map { target -> Float in
            var (low, high) = (0.0, 10.0)
            for _ in 0..<60 {
                let middle = (low + high) / 2
                if erfc(middle / 2.0.squareRoot()) > target { low = middle } else { high = middle }
            }
            return Float(low)
        }
        let least = Statistics.significantScore(scores.shuffled(), falseDiscoveryRate: 0.05)
        #expect(scores.count { Double($0) >= least } == 4)
        #expect(Statistics.significantScore([0.1, -0.2, .nan], falseDiscoveryRate: 0.05) == .infinity)
        #expect(Statistics.significantScore([], falseDiscoveryRate: 0.05) == .infinity)
    }

    /// z = 0.5 / √(0.25 (1/20 + 1/20)) = √10, whose normal tail is 7.827e-4.
    @Test func proportionsAreCompared() {
        #expect(abs(Statistics.pValue(of: 15, of: 20, against: 5, of: 20) - 7.827e-4) < 1e-6)
        #expect(abs(Statistics.pValue(of: 5, of: 20, against: 15, of: 20) - (1 - 7.827e-4)) < 1e-6)
        #expect(abs(Statistics.pValue(of: 7, of: 14, against: 50, of: 100) - 0.5) < 1e-9)
        #expect(Statistics.pValue(of: 0, of: 0, against: 1, of: 9) == 1)
        #expect(Statistics.pValue(of: 9, of: 9, against: 0, of: 0) == 1)
    }

    @Test func medianAndQuantileAreOrderStatistics() {
        #expect(Statistics.median([5, 1, 3]) == 3)
        #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
        #expect(Statistics.median([]) == 0)
        let values = (0..<100).map(Double.init).reversed()
        #expect(Statistics.quantile(Array(values), 0.95) == 95)
        #expect(Statistics.quantile(Array(values), 0) == 0)
        #expect(Statistics.quantile(Array(values), 1) == 99)
        #expect(Statistics.quantile([], 0.5) == 0)
    }

    /// Of 0.1, 0.2 … 0.9 the mean is 0.5 and the variance 0.075: t is what 1.5 is away, with 8 degrees of freedom.
    @Test func aFurtherValueOfTheSameKindIsStudents() {
        let null = (1...9).map { Double($0) / 10 }
        let t = 1.0 / (0.075 * (1 + 1.0 / 9)).squareRoot()
        #expect(abs(Statistics.pValue(of: 1.5, against: null) - Statistics.studentTail(t, freedom: 8)) < 1e-9)
        #expect(abs(Statistics.pValue(of: 0.5, against: null) - 0.5) < 1e-9)
        #expect(Statistics.pValue(of: 0.9, against: []) == 1)
        #expect(Statistics.pValue(of: 0.9, against: [0.1]) == 1, "one value has no spread")
        // What was measured roughly can't have spread by less.
        #expect(Statistics.pValue(of: 0.3, against: [0.1, 0.1, 0.1], chance: 0.1) > 0.1)
        #expect(Statistics.pValue(of: 0.3, against: [0.1, 0.1, 0.1]) < 1e-6)
    }

    /// Of few values the spread is pooled with what is known: with two of 0 and 1, (0.5 + 7 · 0.25)/8, and 8 degrees of freedom.
    @Test func fewValuesAreToldApartByANaturalSpread() {
        let natural = NaturalSpread(deviation: 0.5)
        let t = 1.5 / (2.25 / 8 * 1.5).squareRoot()
        let moderated = Statistics.pValue(of: 2, against: [0, 1], natural: natural)
        #expect(abs(moderated - Statistics.studentTail(t, freedom: 8)) < 1e-9)
        #expect(Statistics.pValue(of: 9, against: [0], natural: natural) < 1e-3, "one value has a mean")
        #expect(Statistics.pValue(of: 9, against: [], natural: natural) == 1)
        let enough = (1...8).map(Double.init)
        #expect(
            Statistics.pValue(of: 12, against: enough, natural: natural)
                == Statistics.pValue(of: 12, against: enough), "eight tell it by themselves")
    }

    /// Values that spread as chance lets them are compared with a normal distribution; with more, as Student's.
    @Test func whatIsKnownOfTheSpreadNeedNotBeEstimated() {
        let null = [-0.1, 0, 0.1]
        let z = 0.4 / (0.01 * (1 + 1.0 / 3)).squareRoot()
        let known = Statistics.pValue(of: 0.4, against: null, atLeastBinomial: 0.1)
        #expect(abs(known - erfc(z / 2.0.squareRoot()) / 2) < 1e-4)
        let estimated = Statistics.pValue(of: 0.4, against: null, atLeastBinomial: 1e-9)
        #expect(abs(estimated - Statistics.pValue(of: 0.4, against: null)) < 1e-9)
    }

    /// P-values of a null are uniform: of 4,000 draws, the largest distance to the diagonal is below Kolmogorov's 99.9 % point.
    @Test func pValuesAreUniformWhereNothingIsHidden() {
        var random = SplitMix64(seed: 17)
        let pValues = (0..<4000).map { _ in
            Statistics.pValue(of: random.normal(), against: (0..<9).map { _ in random.normal() })
        }
        #expect(distanceToUniform(pValues) < 1.95 / 4000.0.squareRoot())
    }

    /// Where p-values depend on each other in full, their combination is the one of them; where they don't, it is uniform in its
    /// tail too.
    @Test func dependentPValuesAreCombined() {
        for p in [1e-9, 0.003, 0.5] {
            #expect(abs(Statistics.combinedOfDependent(p, p, p) / p - 1) < 1e-6)
        }
        // As small as the smallest allows: a third of the weight.
        #expect(abs(Statistics.combinedOfDependent(1e-6, 0.5, 0.5) - 3e-6) < 1e-8)
        var random = SplitMix64(seed: 18)
        let combined = (0..<4000).map { _ in
            Statistics.combinedOfDependent(
                random.uniform(0..<1), random.uniform(0..<1), random.uniform(0..<1))
        }
        #expect(distanceToUniform(combined) < 1.95 / 4000.0.squareRoot())
    }

    private func distanceToUniform(_ pValues: [Double]) -> Double {
        let count = Double(pValues.count)
        return pValues.sorted().enumerated().map { rank, p in
            max(abs(p - Double(rank) / count), abs(p - Double(rank + 1) / count))
        }.max() ?? 1
    }

    @Test func theMixtureFindsPlantedModes() {
        var random = SplitMix64(seed: 1)
        let low = (0..<900).map { _ in 0.05 + 0.05 * random.normal() }
        let high = (0..<100).map { _ in 0.7 + 0.08 * random.normal() }
        let mixture = TwoComponentMixture(fitting: (low + high).shuffled(using: &random), upper: [])
        #expect(abs(mixture.means[0] - 0.05) < 0.01 && abs(mixture.means[1] - 0.7) < 0.03)
        #expect(abs(mixture.deviations[0] - 0.05) < 0.01 && abs(mixture.deviations[1] - 0.08) < 0.02)
        #expect(abs(mixture.weights[1] - 0.1) < 0.01)
        #expect(mixture.separation > 5)
        #expect(low.allSatisfy { mixture.posterior($0) < 0.5 })
        #expect(high.allSatisfy { mixture.posterior($0) > 0.5 })
    }

    /// No value is lost in a group, and none is far from its group's mean.
    @Test func groupsKeepEveryValue() {
        var random = SplitMix64(seed: 5)
        let values = (0..<5_000).map { _ in 0.1 * random.normal() }.sorted()
        let groups = GroupedValues(values).groups
        #expect(groups.count < 1_500 && groups.count > 200)
        #expect(groups.reduce(0) { $0 + $1.count } == 5_000)
        #expect(abs(groups.reduce(0) { $0 + $1.sum } - values.reduce(0, +)) < 1e-9)
        #expect(abs(groups.reduce(0) { $0 + $1.squares } - values.reduce(0) { $0 + $1 * $1 }) < 1e-9)
        var first = 0
        for group in groups {
            let members = values[first..<first + Int(group.count)]
            #expect(members.allSatisfy { abs($0 - group.mean) <= TwoComponentMixture.narrowest / 20 })
            first += Int(group.count)
        }
        #expect(GroupedValues([]).groups.isEmpty && GroupedValues([0.3, 0.3]).groups.count == 1)
    }

    @Test func thePosteriorRisesWithTheValue() {
        var random = SplitMix64(seed: 2)
        for _ in 0..<20 {
            let spread = random.uniform(0.02..<0.2)
            let values =
                (0..<150).map { _ in spread * random.normal() }
                + (0..<20).map { _ in 0.4 + 0.03 * random.normal() }
            let mixture = TwoComponentMixture(fitting: values, upper: [3, 7])
            let posteriors = stride(from: -1.0, through: 1.5, by: 0.01).map(mixture.posterior)
            #expect(zip(posteriors, posteriors.dropFirst()).allSatisfy { $0 <= $1 })
            #expect(posteriors.first == 0 && posteriors.last == 1)
        }
    }

    @Test(arguments: UInt64(1)...8)
    func oneModeIsNotTakenForTwo(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let values = (0..<500).map { _ in 0.06 * random.normal() }
        let mixture = TwoComponentMixture(fitting: values, upper: Set(0..<9))
        let upper = values.count { mixture.posterior($0) > 0.5 }
        // A tail of few values may look apart; a mode of its own it is not.
        #expect(
            mixture.separation < 3 || upper < Int(Parameters().smallestGroup),
            "separation \(mixture.separation), \(upper) in the upper mode")
    }

    /// χ² with four degrees of freedom is above 11.98 with probability 0.0175, with six above 17.97 with 0.0063.
    @Test func independentPValuesAreCombined() {
        #expect(abs(Statistics.combined(0.05, 0.05) - 0.017478) < 1e-5)
        #expect(abs(Statistics.combined(0.05, 0.05, 0.05) - 0.006297) < 1e-6)
        #expect(abs(Statistics.combined(0.3) - 0.3) < 1e-12)
        #expect(Statistics.combined(1, 1, 1) == 1)
    }
}

/// A job's choices are not those that somebody else makes with the same number.
@Suite struct MethodSeedTests {
    @Test func choicesAreNoOnesElse() {
        for seed in UInt64(0)..<50 {
            var attacker = SplitMix64(seed: seed)
            var job = SplitMix64(seed: JobOptions(seed: seed).methodSeed)
            let chosen = Set(attacker.sample(100, outOf: 1000))
            let asked = job.sample(100, outOf: 1000)
            #expect(asked.count { chosen.contains($0) } < 30, "ten by chance, with a deviation of three")
        }
        #expect(Set((0..<1000).map { JobOptions(seed: $0).methodSeed }).count == 1000)
    }
}
