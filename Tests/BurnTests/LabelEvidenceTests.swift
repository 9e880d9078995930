import Findings
import Foundation
import Support
import Testing

@testable import Burn

/// Whether given labels are taken for true, and how sure a restored one is.
@Suite struct LabelEvidenceTests {
    private let balanced = [480, 510, 495, 520, 505, 490, 500, 515, 485]

    private func reading(size: Int, rest: Int, others: [Int]? = nil, unsure: Double?) -> LabelReading {
        let others = others ?? balanced
        return LabelEvidence(
            size: size, rest: rest, usualSize: 500,
            sizeFactor: LabelEvidence.sizeFactor(size: size, rest: rest, others: others), unsure: unsure
        ).reading(Parameters())
    }

    @Test func aClassThatIsUsualWithItsSuspectsHasTrueLabels() {
        #expect(reading(size: 500, rest: 50, unsure: 0.9) == .right)
        #expect(reading(size: 500, rest: 0, unsure: nil) == .right)
        #expect(reading(size: 500, rest: 100, unsure: 0.1) == .right)
    }

    @Test func aClassThatIsUsualWithoutThemHasWrongLabels() {
        #expect(reading(size: 950, rest: 490, unsure: 0.1) == .wrong)
        #expect(reading(size: 950, rest: 490, unsure: 0.9) == .wrong, "what is removed badly is seen badly")
    }

    /// Where the sizes say nothing, the model has to.
    @Test func unequalClassesSayNothing() throws {
        let sizes = [100, 900, 200, 1500, 400, 250, 700]
        let factor = try #require(LabelEvidence.sizeFactor(size: 500, rest: 300, others: sizes))
        #expect(abs(factor) < log(Parameters().labelBayesFactor))
        #expect(reading(size: 500, rest: 300, others: sizes, unsure: 0.1) == .wrong)
        #expect(reading(size: 500, rest: 300, others: sizes, unsure: 0.9) == .open)
        #expect(reading(size: 500, rest: 300, others: sizes, unsure: nil) == .wrong)
        #expect(LabelEvidence.sizeFactor(size: 500, rest: 300, others: [500, 500]) == nil, "too few")
    }

    /// Closed form: Student's densities with two degrees of freedom, at the logarithms' own spread.
    @Test func theFactorIsARatioOfDensities() throws {
        let others = [100, 1000, 10_000]
        let factor = try #require(LabelEvidence.sizeFactor(size: 1000, rest: 10, others: others))
        let spread = log(10.0) * (1 + 1.0 / 3).squareRoot()
        let standard = log(100.0) / spread
        #expect(abs(factor - 1.5 * log(1 + standard * standard / 2)) < 1e-9)
    }

    /// Of answers that are right as often as they are certain, that is found; never less for a higher certainty.
    @Test func reliabilityIsMonotoneAndCalibrated() throws {
        var random = SplitMix64(seed: 3)
        let answers = (0..<4000).map { _ in
            let certainty = random.unit()
            return (Float(certainty), random.unit() < certainty * certainty)
        }
        let reliability = Reliability(answers)
        let shares = try stride(from: Float(0.05), to: 1, by: 0.1).map {
            ($0, try #require(reliability.share(at: $0)))
        }
        for (certainty, share) in shares { #expect(abs(share - Double(certainty * certainty)) < 0.1) }
        #expect(zip(shares, shares.dropFirst()).allSatisfy { $0.1 <= $1.1 })
        #expect(Reliability([]).share(at: 0.5) == nil)
        #expect(Reliability([(0.9, true)]).share(at: 0.1) == 2.0 / 3, "one answer proves little")
    }

    /// Against the definition: the best monotone fit by brute force over a grid.
    @Test func poolingGivesTheLeastSquares() throws {
        let answers: [(certainty: Float, isRight: Bool)] = [
            (0.1, true), (0.2, false), (0.3, false), (0.4, true), (0.5, false), (0.6, true),
        ]
        let reliability = Reliability(answers)
        // 1 0 0 | 1 0 | 1, each with one of either kind added.
        let expected = [0.4, 0.4, 0.4, 0.5, 0.5, 2.0 / 3]
        for (answer, share) in zip(answers, expected) {
            #expect(abs(try #require(reliability.share(at: answer.certainty)) - share) < 1e-9)
        }
    }
}
