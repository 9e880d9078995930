import Findings
import Testing

@testable import Report

@Suite struct EvidenceTallyTests {
    @Test func everySampleIsCountedOnce() {
        let samples = Sample.samples(4)
        var tally = EvidenceTally()
        for sample in samples.shuffled() { tally.add(sample) }
        let found = tally.distributions(classNames: ["a", "b", "c", "d"])
        let flagged = samples.filter(\.flagged)
        #expect(tally.counts.analysed == samples.count)
        #expect(tally.counts.flagged == flagged.count)
        #expect(tally.counts.relabelled == flagged.count { $0.givenLabel != $0.restoredLabel })
        let edges = found.distanceHistograms.edges
        #expect(edges.count == EvidenceTally.bins + 1 && edges == edges.sorted())
        for counts in found.distanceHistograms.classes {
            let own = samples.filter { $0.predictedLabel == counts.label }
            #expect(counts.flagged.reduce(0, +) == own.count { $0.flagged })
            #expect(counts.unflagged.reduce(0, +) == own.count { !$0.flagged })
        }
        #expect(found.labelMatrix.map(\.count).reduce(0, +) == flagged.count)
        #expect(found.adversarialLabels.map(\.count).reduce(0, +) == samples.count)
        #expect(found.adversarialLabels.map(\.count) == found.adversarialLabels.map(\.count).sorted(by: >))
    }

    @Test func theOrderOfSamplesDoesNotMatter() {
        let samples = Sample.samples(5)
        let all = (0..<3).map { _ in
            var tally = EvidenceTally()
            for sample in samples.shuffled() { tally.add(sample) }
            return tally.distributions(classNames: [])
        }
        #expect(Set(all).count == 1)
    }

    /// One far sample does not push all others into one bin.
    @Test func anOutlierWidensTheLastBinAlone() {
        var tally = EvidenceTally()
        for index in 0..<1_000 { tally.add(sample(index, distance: Double(index) / 1_000)) }
        tally.add(sample(1_000, distance: 1e6))
        let histograms = tally.distributions(classNames: []).distanceHistograms
        #expect(histograms.edges.last == 1e6)
        let counts = histograms.classes[0].unflagged
        #expect(counts.count { $0 > 0 } > 20 && counts.last == 1)
    }

    @Test func strangeDistancesDoNoHarm() {
        var tally = EvidenceTally()
        #expect(tally.distributions(classNames: []).distanceHistograms.edges == [0, 1])
        for (index, distance) in [0, .infinity, .nan, 0].enumerated() {
            tally.add(sample(index, distance: distance))
        }
        #expect(tally.distributions(classNames: []).distanceHistograms.classes == [])
        tally.add(sample(4, distance: 1e-30))
        #expect(tally.distributions(classNames: []).distanceHistograms.classes.count == 1)
    }

    private func sample(_ index: Int, distance: Double) -> SampleFinding {
        SampleFinding(
            index: index, name: "\(index)", givenLabel: 0, predictedLabel: 0, boundaryDistance: distance,
            adversarialLabel: 1, coherence: 0, score: 0, flagged: false, restoredLabel: 0)
    }
}
