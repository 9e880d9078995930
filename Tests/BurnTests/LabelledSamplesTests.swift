import Support
import Testing

@testable import Burn

@Suite struct LabelledSamplesTests {
    @Test(arguments: [1, 2, 3, 7]) func theOthersAreEvenlyChosen(period: Int) {
        var random = SplitMix64(seed: UInt64(period))
        let labels = (0..<500).map { $0 % period == 0 ? 0 : Int.random(in: 0..<4, using: &random) }
        let samples = LabelledSamples(labels, classes: 5)
        for label in 0..<5 {
            let own = labels.indices.filter { labels[$0] == label }
            let others = labels.indices.filter { labels[$0] != label }
            #expect(samples[label] == own && samples.count(of: label) == own.count)
            for wanted in [0, 1, 50, 170, 400, 1_000] {
                let step = max(1, others.count / max(1, wanted))
                let expected = stride(from: 0, to: others.count, by: step).map { others[$0] }
                #expect(samples.others(than: label, atLeast: wanted) == expected)
            }
        }
    }

    @Test func noSamples() {
        let samples = LabelledSamples([], classes: 2)
        #expect(samples[1].isEmpty && samples.others(than: 0, atLeast: 5).isEmpty)
    }
}
