import Execution
import Findings
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
            model: model, images: images, boundary: first.boundary, seed: 5, token: token)
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
            let sides = try test.sides(of: coherence, label: Self.target)
            let null = try [0, 1, 3].map { label in
                let others = (0..<images.count).filter { Int(table.predicted[$0]) == label }
                return try test.sides(
                    of: ClassCoherence(
                        members: others, store: features.store, parameters: Parameters(), seed: 7),
                    label: label)
            }
            let planted = try #require(UnlearningTest.plantedSide(of: sides, against: null))
            #expect(planted.suspects == poisoned.intersection(members))
            #expect(planted.pValue < 0.05)
        }
    }

    /// A side is compared with the same side of other classes; what few samples show may be chance.
    @Test func sidesAreComparedWithTheirLike() throws {
        let (one, other) = (Set(0..<400), Set(400..<800))
        let null: [[UnlearningTest.Side?]] = [1.0, 1.1, 0.9].map { [(one, $0), (other, $0 + 0.5)] }
        let bundle = try #require(
            UnlearningTest.plantedSide(of: [(one, 1.6), (other, 1.5)], against: null))
        #expect(bundle.suspects == one && bundle.pValue < 0.05)
        let beside = try #require(
            UnlearningTest.plantedSide(of: [(one, 1.0), (other, 1.6)], against: null))
        #expect(beside.suspects == other && beside.pValue > 0.3, "as high in the other classes")
        let few = try #require(UnlearningTest.plantedSide(of: [([4], 1.6), (other, 1.5)], against: null))
        #expect(few.suspects == [4] && few.pValue > 0.3)
        #expect(UnlearningTest.plantedSide(of: [(one, 1.6), nil], against: [[(one, 1), nil]]) == nil)
        #expect(UnlearningTest.plantedSide(of: [nil, nil], against: null) == nil)
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

        var finding = ClassFinding(label: 3, judge: .standard)
        finding.features = evidence[3]
        finding.features?.gainPValue = 1e-6
        finding.features?.unlearningPValue = 1e-6
        for (leaving, judgement) in [(50, Conclusion.Judgement.backdoored), (70, .suspicious)] {
            var judged = finding
            judged.features?.unlearning = .init(
                adopted: 0.9, kept: 0.9, leaving: Set(0..<leaving), tested: Set(0..<100))
            judged.judgeByFeatures(concentration: 0.3)
            #expect(judged.judgement == judgement, "\(leaving) % of the class leave")
        }
    }
}
