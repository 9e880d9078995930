import Findings
import Support
import Testing

@testable import Burn

/// A bundle beyond a mode with a tail, as two classes show it.
@Suite struct TailedModeTests {
    private func natural(_ count: Int, using random: inout SplitMix64) -> [Double] {
        (0..<count).map { index in
            index % 4 == 0 ? 0.18 + 0.13 * random.normal() : 0.03 + 0.02 * random.normal()
        }
    }

    @Test(arguments: UInt64(1)...6)
    func aBundleBeyondATailIsFound(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let planted = (0..<290).map { _ in 0.8 + 0.06 * random.normal() }
        let values = natural(1_600, using: &random) + planted
        let mixture = TwoComponentMixture(fitting: values, upper: [], choice: .tailed)
        let tail = try #require(mixture.tail)
        #expect(abs(mixture.means[1] - 0.8) < 0.02 && abs(mixture.deviations[1] - 0.06) < 0.02)
        #expect(abs(tail.mean - 0.18) < 0.05 && abs(tail.deviation - 0.13) < 0.05)
        #expect(mixture.separation > 4)
        #expect(planted.count { mixture.posterior($0) > 0.5 } >= 280)
        #expect(values.prefix(1_600).count { mixture.posterior($0) > 0.5 } < 8)
        // What the tail explains is no gain.
        let plain = TwoComponentMixture(fitting: values, upper: [])
        #expect(mixture.gain(values) > 100 && mixture.gain(values) < plain.gain(values))
    }

    @Test(arguments: UInt64(1)...12)
    func aTailAloneIsNoBundle(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let values = natural(1_600, using: &random)
        let mixture = TwoComponentMixture(fitting: values, upper: [], choice: .tailed)
        let upper = values.count { mixture.posterior($0) > 0.5 }
        #expect(
            mixture.separation < 2 || upper < Int(Parameters().smallestGroup),
            "separation \(mixture.separation), \(upper) beyond the tail")
    }

    /// Three numbers more have to be worth it.
    @Test(arguments: UInt64(1)...12)
    func twoNormalModesHaveNoTail(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let values =
            (0..<400).map { _ in 0.05 * random.normal() } + (0..<60).map { _ in 0.6 + 0.05 * random.normal() }
        #expect(TwoComponentMixture(fitting: values, upper: [], choice: .tailed).tail == nil)
    }

    @Test func theOtherSideIsTheRest() throws {
        var random = SplitMix64(seed: 3)
        let values = natural(800, using: &random) + (0..<150).map { _ in 0.8 + 0.06 * random.normal() }
        let mixture = TwoComponentMixture(fitting: values, upper: [], choice: .tailed)
        let mirrored = mixture.mirrored
        #expect(abs(mirrored.separation - mixture.separation) < 1e-9)
        let steps = Array(stride(from: -0.5, through: 1.2, by: 0.01))
        for value in steps {
            #expect(abs(mixture.posterior(value) + mirrored.posterior(-value) - 1) < 1e-9)
        }
        let posteriors = steps.map(mixture.posterior)
        #expect(zip(posteriors, posteriors.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(mirrored.mirrored == mixture)
    }
}
