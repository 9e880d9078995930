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

    @Test func whatIsSetAsideIsNoSample() {
        var random = SplitMix64(seed: 3)
        let labels = (0..<400).map { _ in Int.random(in: 0..<4, using: &random) }
        let setAside = Set(labels.indices.filter { $0 % 3 == 0 || labels[$0] == 2 })
        let samples = LabelledSamples(labels, classes: 4, apartFrom: setAside)
        let left = labels.indices.filter { !setAside.contains($0) }
        #expect(samples.all == left && labels.indices.filter(samples.contains) == left)
        for label in 0..<4 {
            #expect(samples[label] == left.filter { labels[$0] == label })
            #expect(samples.others(than: label, atLeast: 1_000) == left.filter { labels[$0] != label })
        }
        #expect(samples[2].isEmpty)
    }

    @Test func noSamples() {
        let samples = LabelledSamples([], classes: 2)
        #expect(samples[1].isEmpty && samples.others(than: 0, atLeast: 5).isEmpty)
    }
}
