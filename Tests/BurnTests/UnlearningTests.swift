import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// What can be unlearned of a class whose samples are known: planted ones leave it, its own stay.
@Suite struct UnlearningTests {
    static let classes = 4
    static let target = 2

    @Test func plantedSamplesAreUnlearnedFromTheOthersOfTheirKind() throws {
        // As in DetectionTests: not what another test has set last.
        try Threads.setCurrent(1)
        let folder = try ScratchFolder()
        var drawn = TinyImages.textures(1200, side: 16, seed: 41)
        var poisoned: Set<Int> = []
        for sample in drawn.labels.indices
        where sample % 6 == 0 && drawn.labels[sample] != Self.target {
            drawn.stamp(sample)
            drawn.labels[sample] = Self.target
            poisoned.insert(sample)
        }
        let model = try TinyGraph.convolutional(side: 16, classes: Self.classes, seed: 42)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        try SupervisedTraining(images: images, epochs: 25, learningRate: 0.05, seed: 43).run(model)
        let first = try Surveyed(model, images, in: folder)
        let (table, token) = (first.table, first.token)
        let steps = FirstSteps(model: model, images: images, table: table, store: first.store, token: token)
        let features = try #require(try FeatureChanges(steps, path: folder.file("f"), threads: 2))
        try features.write(Array(0..<images.count))
        let stored = try features.store.rows(Array(0..<images.count)).norm([1]).array(as: Float.self)
        #expect(stored.allSatisfy { abs($0 - 1) < 0.01 }, "every sample's feature change is a unit vector")

        let test = try UnlearningTest(
            model: model, images: images, labelled: LabelledSamples(of: images), boundary: first.boundary,
            seed: 5,
            token: token)
        let planted = try #require(try test.run(label: Self.target, suspects: poisoned, folds: 2))
        let own = (0..<images.count).filter { images.labels[$0] == 0 }
        let arbitrary = Set(own.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
        let before = model.passes.count
        let null = try #require(try test.run(label: 0, suspects: arbitrary, folds: 1))
        // The copy that is trained counts with the model, and the estimate of a fold is near.
        let passes = (model.passes.count - before).inForwards
        let expected = DetectionCosts(
            samples: images.count, surveyed: images.count, classes: Self.classes, isExact: true
        ).unlearning
        #expect((0.8...1.5).contains(passes / expected), "\(passes) of \(expected)")
        #expect(planted.score > null.score + 0.2)
        let caught = planted.leaving.intersection(poisoned).count
        #expect(Double(caught) >= 0.9 * Double(planted.tested.intersection(poisoned).count))
        #expect(Double(caught) >= 0.9 * Double(planted.leaving.count))
        #expect(try test.run(label: 0, suspects: Set(own.prefix(3)), folds: 1) == nil, "too few to test")

        // Whichever part of the class stands out as the bundle.
        let members = (0..<images.count).filter { Int(table.predicted[$0]) == Self.target }
        var coherence = try ClassCoherence(
            members: members, store: features.store, parameters: Parameters(), seed: 6)
        for bundle in [members.filter(poisoned.contains), members.filter { !poisoned.contains($0) }] {
            coherence.cluster = bundle
            let sides = try (0..<2).map { try test.side($0, of: coherence, label: Self.target) }
            let planted = try #require(
                sides.indices.max { (sides[$0]?.score ?? 0) < (sides[$1]?.score ?? 0) })
            let side = planted == 0 ? coherence.cluster : coherence.remainder
            #expect(Set(side) == poisoned.intersection(members))
            let asked = try #require(sides[planted]).asked
            #expect(asked == min(side.count, UnlearningTest.mostForScore))
            var null = UnlearningNull(
                try [0, 1, 3].map { label in
                    let others = (0..<images.count).filter { Int(table.predicted[$0]) == label }
                    return (
                        label,
                        try ClassCoherence(
                            members: others, store: features.store, parameters: Parameters(), seed: 7)
                    )
                })
            while try null.extend(planted, by: test) {}
            #expect(null.scores[planted].count > 1 && null.scores[1 - planted].isEmpty)
            let pValue = UnlearningTest.pValue(
                of: try #require(sides[planted]).score, against: null.scores[planted],
                suspects: asked)
            #expect(pValue < 0.025)
        }
    }

    /// Whatever the classes show that are still to come, a score gets no smaller p-value.
    @Test func noResultIsSmallerThanTheLeastPossible() {
        var random = SplitMix64(seed: 8)
        for suspects in [4, 60, 900] {
            for known in 0...3 {
                for _ in 0..<10 {
                    let all = (0..<3).map { _ in random.uniform(0..<2) }
                    let score = random.uniform(0..<2)
                    let least = UnlearningTest.leastPValue(
                        of: score, against: Array(all.prefix(known)), of: all.count, suspects: suspects)
                    let pValue = UnlearningTest.pValue(of: score, against: all, suspects: suspects)
                    #expect(least <= pValue * 1.01, "\(score) against \(all)")
                }
            }
        }
        // A high score may be anything at first, and is none that decides once one class scores as high.
        #expect(UnlearningTest.leastPValue(of: 1.8, against: [], of: 3, suspects: 400) < 0.001)
        #expect(UnlearningTest.leastPValue(of: 1.8, against: [1.8], of: 3, suspects: 400) > 0.1)
    }

    @Test func evidenceOfAClassIsJudgedAgainstTheOthers() throws {
        let folder = try ScratchFolder()
        let (count, width) = (200, 64)
        let generator = try Generator(seed: 9)
        let store = try PerturbationStore(path: folder.file("f"), samples: 5 * count, values: width)
        for label in 0..<5 {
            let noise = try Tensor.randn([count, width], generator: generator)
            let unit = try noise / noise.norm([1], keepDimensions: true)
            let common = try unit.rows(0..<1)
            // Every class leans on a direction of its own; class 3 holds a bundle that leans on it more.
            let lean = (0..<count).map { Float(label == 3 && $0 < 60 ? 2 : 0.5) }
            let rows = try unit + common * Tensor(lean).unsqueeze(1)
            try store.write(
                rows / rows.norm([1], keepDimensions: true), of: Array(label * count..<(label + 1) * count))
        }
        let coherences = try (0..<5).map { label in
            try ClassCoherence(
                members: Array(label * count..<(label + 1) * count), store: store, parameters: Parameters(),
                seed: 1)
        }
        let evidence = FeatureEvidence.gather(coherences + [nil])
        #expect(evidence.count == 6 && evidence[5] == nil)
        #expect(evidence[3]?.isWorthTesting(.standard) == true)
        #expect(
            evidence.enumerated().allSatisfy {
                $0.offset == 3 || $0.element?.isWorthTesting(.standard) != true
            })
        // Among very many classes that a bundle stands out so is chance.
        var some = try #require(evidence[3])
        some.gainPValue = 0.01
        #expect(some.isWorthTesting(.standard))
        #expect(!some.isWorthTesting(Judge(Parameters(), classes: 1_000)))
        #expect(evidence[3]?.pValue == 1, "nothing is claimed before the unlearning test")
        some.isCandidate = true
        #expect(some.pValue == 0.01, "one that was not trained to the end")
        some.unlearned = (1.4, 0.2)
        #expect(some.pValue == Statistics.combined(0.01, 0.2))

        var finding = ClassFinding(label: 3, judge: .standard)
        finding.features = evidence[3]
        finding.features?.gainPValue = 1e-6
        finding.features?.unlearned = (1.8, 1e-6)
        for (leaving, judgement) in [(50, Conclusion.Judgement.backdoored), (70, .suspicious)] {
            var judged = finding
            judged.features?.unlearning = .init(
                adopted: 0.9, kept: 0.9, leaving: Set(0..<leaving), tested: Set(0..<100))
            judged.judgeByFeatures(concentration: 0.3)
            #expect(judged.judgement == judgement, "\(leaving) % of the class leave")
        }
    }
}
