import Findings
import Support
import Testing

@testable import Burn

/// Which samples are surveyed at first.
@Suite struct ScreenTests {
    private let screen = Screen(Parameters())

    @Test func smallSetsAreSurveyedAsAWhole() {
        let labels = (0..<5_000).map { $0 % 10 }
        #expect(screen.samples(labels: labels, seed: 1) == Array(0..<5_000))
    }

    @Test(arguments: [(2, 30_000), (10, 50_000), (43, 40_000), (100, 60_000), (1_000, 200_000)])
    func someOfEveryLabelAreChosenAtRandom(classes: Int, count: Int) {
        var random = SplitMix64(seed: 3)
        // Unequal ones: every label has at least half of what most have.
        let labels = (0..<count).map { _ in min(classes - 1, random.below(classes + classes / 2)) }
        let chosen = screen.samples(labels: labels, seed: 1)
        #expect(chosen == chosen.sorted() && Set(chosen).count == chosen.count)
        #expect(chosen.count <= screen.most(of: count, labels: classes) && chosen.count < count)
        let sizes = Dictionary(grouping: labels) { $0 }.mapValues(\.count)
        let taken = Dictionary(grouping: chosen) { labels[$0] }.mapValues(\.count)
        let each = screen.ofEach(Array(sizes.values))
        for (label, size) in sizes { #expect(taken[label] == min(size, each)) }
        // None more of each would fit.
        #expect(sizes.values.reduce(0) { $0 + min($1, each + 1) } > screen.most(of: count, labels: classes))
        #expect(chosen == screen.samples(labels: labels, seed: 1))
        #expect(chosen != screen.samples(labels: labels, seed: 2))
        // Neither the first ones nor the last.
        #expect(abs(chosen.reduce(0, +) / chosen.count - count / 2) < count / 10)
    }

    /// Outputs that no sample has the label of, and small classes, take no place from the others.
    @Test func whatOneLabelLeavesIsForTheOthers() {
        let tail = (0..<100).flatMap { label in Array(repeating: label, count: label == 0 ? 9_000 : 50) }
        #expect(screen.samples(labels: tail, seed: 1).count == tail.count)
        #expect(screen.ofEach([100, 200, 40_000, 50_000]) == (5_120 - 300) / 2)
        #expect(screen.ofEach([5, 7]) == 7 && screen.ofEach([]) == 0)
    }

    /// A parameter of the job says how many.
    @Test func fewerAreSurveyedWhereFewerAreWanted() {
        var parameters = Parameters()
        parameters.surveyedOfLabel = 128
        let labels = (0..<10_000).map { $0 % 10 }
        let chosen = Screen(parameters).samples(labels: labels, seed: 1)
        let taken = Dictionary(grouping: chosen) { labels[$0] }.mapValues(\.count)
        #expect(taken.count == 10 && taken.values.allSatisfy { $0 == 128 })
        #expect(Screen(parameters).most(of: 100_000, labels: 100) == 7_200, "72 of each at least")
    }

    /// What was noticed among some of a class's samples, of all of it: nine draws in ten hold enough of so many.
    @Test(arguments: [(8, 1_024, 5_000), (20, 1_024, 5_000), (12, 256, 900), (30, 100, 10_000)])
    func whatIsNoticedOfSomeIsSaidOfAll(planted: Int, surveyed: Int, size: Int) {
        let noticed = DetectionPower.Noticed(samples: planted, found: 10, trials: 10)
        #expect(noticed.drawn(size, of: size) == noticed)
        let all = noticed.drawn(surveyed, of: size)
        #expect(all.samples > planted * size / surveyed && all.found == 10)
        var random = SplitMix64(seed: 4)
        let hits = (0..<2_000).count { _ in
            random.sample(surveyed, outOf: size).count { $0 < all.samples } >= planted
        }
        #expect((0.87...0.99).contains(Double(hits) / 2_000))
    }
}
