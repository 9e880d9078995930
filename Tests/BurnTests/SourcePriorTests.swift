import Foundation
import Support
import Testing

@testable import Burn

/// Opinions are those of an observer who sees a sample's class through noise and knows how much: their spread has a known
/// truth.
@Suite struct SourcePriorTests {
    private static let classes = 6

    /// Bayes' opinions on samples of the given classes, each seen as its unit vector and normal noise; `bias` multiplies
    /// the probability of class 1.
    private func opinions(
        on labels: [Int], bias: Float = 1, using random: inout SplitMix64, noise: Double = 0.8
    ) -> [ClassOpinion] {
        labels.map { label in
            let logits = (0..<Self.classes).map { seen -> Double in
                let (radius, angle) = (
                    Double.random(in: 1e-12..<1, using: &random), Double.random(in: 0..<1, using: &random)
                )
                let normal = (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
                return ((seen == label ? 1 : 0) + noise * normal) / (noise * noise)
            }
            let weights = logits.enumerated().map { Float(exp($1)) * ($0 == 1 ? bias : 1) }
            let total = weights.reduce(0, +)
            return ClassOpinion(weights.map { $0 / total })
        }
    }

    private func share(of label: Int, in opinions: [ClassOpinion], by prior: SourcePrior? = nil) -> Double {
        let hits = opinions.count { opinion in
            (prior?.adjusting(opinion) ?? opinion).best == label
        }
        return Double(hits) / Double(opinions.count)
    }

    private var everyClass: [Int] { (0..<6000).map { $0 % Self.classes } }

    @Test(arguments: [1, 4] as [Float])
    func samplesOfAllClassesStayAsTheyAre(bias: Float) {
        var random = SplitMix64(seed: 3)
        let gauge = opinions(on: everyClass, bias: bias, using: &random)
        let prior = SourcePrior(
            opinions: opinions(on: everyClass, bias: bias, using: &random), gauge: gauge,
            classes: Self.classes)
        for ratio in prior.ratios { #expect(abs(ratio - 1) < 0.25) }
    }

    @Test func oneSourceSettlesWhatIsHardToSee() {
        var random = SplitMix64(seed: 5)
        let gauge = opinions(on: everyClass, using: &random)
        let planted = opinions(on: Array(repeating: 4, count: 300), using: &random)
        let prior = SourcePrior(opinions: planted, gauge: gauge, classes: Self.classes)
        #expect(share(of: 4, in: planted) < 0.75)
        #expect(share(of: 4, in: planted, by: prior) > 0.98)
    }

    /// A likelihood's maximum: the shares of a mixture of known parts come out.
    @Test func sharesOfAMixtureAreRecovered() {
        var random = SplitMix64(seed: 7)
        let gauge = opinions(on: everyClass, using: &random)
        let labels = (0..<2000).map { $0 % 10 < 5 ? 2 : $0 % 10 < 8 ? 3 : 0 }
        let prior = SourcePrior(
            opinions: opinions(on: labels, using: &random), gauge: gauge, classes: Self.classes)
        let shares = prior.ratios.map { Double($0) / Double(Self.classes) }
        for (found, truth) in zip(shares, [0.2, 0, 0.5, 0.3, 0, 0]) { #expect(abs(found - truth) < 0.06) }
    }

    @Test func fewSamplesProveNoSource() {
        var random = SplitMix64(seed: 9)
        let gauge = opinions(on: everyClass, using: &random)
        let sure = SourcePrior(opinions: [ClassOpinion(certain: 4)], gauge: gauge, classes: Self.classes)
        #expect(sure.ratios.allSatisfy { $0 > 0.8 && $0 < 2 })
        let none = SourcePrior(opinions: [], gauge: [], classes: Self.classes)
        #expect(none.ratios.allSatisfy { abs($0 - 1) < 1e-5 })
        #expect(none.adjusting(ClassOpinion()) == ClassOpinion())
    }
}
