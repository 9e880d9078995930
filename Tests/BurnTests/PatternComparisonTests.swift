import Execution
import Findings
import Foundation
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Every class's pattern against those of the others.
@Suite struct PatternComparisonTests {
    private func proposal(
        gain: Double, pValue: Double = 0.5, classSize: Int = 1000, stays: Double? = nil
    ) -> PatternProposal {
        var finding = ClassFinding(label: 0, judge: .standard)
        finding.removal = stays.map { ControlledEffect(rate: 0.9, control: $0, tested: 200, controls: 200) }
        return PatternProposal(
            finding: finding,
            bundle: ImageBundle(members: [], posteriors: [], gain: gain, pValue: pValue), carriers: [],
            classSize: classSize)
    }

    /// Gains of the patterns that nine classes have by nature.
    private static let natural = [78, 90, 127, 47, 178, 109, 60, 140, 95.0]

    private func evidence(
        beside natural: [Double] = natural, _ own: PatternProposal, insertions: [Double]? = nil
    ) -> PatternEvidence {
        let all = [own] + natural.map { proposal(gain: $0, stays: 0.85) }
        return PatternComparison(records(all, insertions ?? all.map { _ in 0 })).evidence(0, own)
    }

    /// - Parameter insertions: of the patterns; nil for one that was not tested.
    private func records(_ proposals: [PatternProposal], _ insertions: [Double?]) -> [PatternRecord] {
        zip(proposals, insertions).map { proposal, insertion in
            var record = PatternRecord(proposal)
            (record.insertion, record.removal) = (insertion, insertion.flatMap { _ in record.removal })
            return record
        }
    }

    @Test func aPatternUnlikeThoseOfTheOtherClassesStandsApart() {
        #expect(evidence(proposal(gain: 1600, pValue: 0.003)).bundlePValue < 0.001)
        #expect(evidence(proposal(gain: 175, pValue: 0.0002)).bundlePValue > 0.1)
        // Two others are no null: what grows from random samples is one.
        #expect(evidence(beside: [78, 90], proposal(gain: 1600, pValue: 0.003)).bundlePValue == 0.003)
    }

    @Test func nothingStandsApartByItsSize() {
        #expect(evidence(proposal(gain: 1600, classSize: 16_000)).bundlePValue > 0.3)
        #expect(evidence(proposal(gain: 90, classSize: 50)).bundlePValue > 0.3)
    }

    @Test func ofVeryManyClassesTheClearestAreChosenAndJudgedAgainstAll() throws {
        var random = SplitMix64(seed: 4)
        var found: [PatternGain?] = (0..<300).map { _ in
            PatternGain(gain: 60 + Double.random(in: 0..<60, using: &random), classSize: 200)
        }
        found[17] = nil
        found[123] = PatternGain(gain: 900, classSize: 200)
        // As clear in nats, and no clearer than others for its size.
        found[200] = PatternGain(gain: 900, classSize: 2_000)
        let comparison = BundleComparison(found)
        let chosen = comparison.clearest(most: 48)
        #expect(chosen.count == 48 && chosen == chosen.sorted() && chosen.contains(123))
        #expect(!chosen.contains(17) && !chosen.contains(200))
        let passedOver = Set(found.indices).subtracting(chosen + [17])
        let certain = try #require(comparison.pValue(123))
        #expect(certain < 1e-6)
        // None that was passed over could have been judged: it does not stand apart.
        let limit = Judge(Parameters(), classes: 300).notable
        #expect(passedOver.allSatisfy { (comparison.pValue($0) ?? 0) > limit })
        #expect(BundleComparison(Array(found.prefix(40))).clearest(most: 48).count == 39)

        // What was not tested is no null of what the others do.
        let own = proposal(gain: 900, classSize: 200)
        let others = (0..<8).map { PatternRecord(gain: found[$0]) }
        let unknown = PatternComparison(records([own], [0.6]) + others).evidence(0, own)
        let idle = PatternComparison(
            records([own], [0.6])
                + others.map { other in
                    var tested = other
                    (tested.insertion, tested.removal) = (0, 0)
                    return tested
                }
        ).evidence(0, own)
        #expect(idle.insertionPValue < 0.002 && unknown.insertionPValue > 0.01)
        #expect(unknown.bundlePValue == idle.bundlePValue && unknown.bundlePValue < 0.001)
    }

    @Test func whatATriggerDoesIsUnlikeWhatNaturalPatternsDo() {
        let held = evidence(proposal(gain: 4000, stays: 0.2))
        #expect(held.removalPValue < 0.025 && held.insertionPValue > 0.49)
        #expect(held.effectPValue == 2 * held.removalPValue)
        #expect(held.removal?.excess == 0.7)
        #expect(held.judgement(.standard) == .suspicious)
        #expect(evidence(proposal(gain: 4000, stays: 0.84)).judgement(.standard) == .clean)
        let working = evidence(proposal(gain: 4000), insertions: [0.6] + Self.natural.map { _ in 0.05 })
        #expect(working.insertionPValue < 0.025 && working.removalPValue > 0.49)
        #expect(working.judgement(.standard) == .suspicious)
        // Beside patterns that do nothing at all.
        let alone = evidence(proposal(gain: 4000), insertions: [0.6] + Self.natural.map { _ in 0 })
        #expect(alone.insertionPValue < 0.001)
        #expect(alone.judgement(.standard) == .backdoored)
    }

    /// A class that was asked before is compared anew once what hid it is set aside.
    @Test func whatIsSetAsideHidesNoOther() throws {
        let folder = try ScratchFolder()
        let model = try TinyGraph.convolutional(side: 8, classes: 10, seed: 1)
        let images = try LabelledImages(
            TinyImages.noise(100, side: 8, classes: 10, seed: 2).packed(in: folder.file("set")),
            for: model.graph, options: JobOptions())
        let (judge, token) = (Judge(Parameters(), classes: 10), try CancellationToken())
        let table = AnalysisTable(count: images.count)
        let store = try PerturbationStore(path: folder.file("p"), samples: images.count, values: 192)
        let labelled = LabelledSamples(of: images)
        let search = ImageSearch(
            images: images, labelled: labelled, table: table, store: store,
            triggers: TriggerSearch(
                model: model, images: images, labelled: labelled, table: table, store: store, judge: judge,
                seed: 1, token: token),
            judge: judge, seed: 1, pool: WorkerPool(threads: 1, token: token), token: token)
        /// A pattern that works both ways, or one that does nothing.
        func look(logGain: Double, works: Bool) -> PatternLook {
            var found = proposal(gain: exp(logGain), stays: works ? 0.1 : 0.9)
            found.finding.effect = TriggerEffect(
                form: AffineValues.at(1), rate: works ? 0.8 : 0, random: 0, topSource: 0, topSourceRate: 0,
                topSourceRandom: 0, tested: 384)
            return PatternLook(found)
        }
        var findings = (0..<10).map { ClassFinding(label: $0, judge: judge) }
        for index in findings.indices {
            findings[index].patternLook = look(logGain: 3.8 + 0.05 * Double(index), works: false)
        }
        findings[0].patternLook = look(logGain: 16, works: true)
        findings[1].patternLook = look(logGain: 10, works: true)
        try search.examineClasses(&findings)
        #expect(findings[1].judgement == .clean, "beside the other it is nothing unusual")

        findings[0] = ClassFinding(label: 0, judge: judge)
        findings[0].patternLook = look(logGain: 4, works: false)
        try search.examineClasses(&findings)
        #expect(findings.map(\.judgement).enumerated().filter { $0.1 != .clean }.map(\.0) == [1])
        #expect(findings[1].judgement == .backdoored)
    }

    private static let side = 6
    private static let values = 3 * 36

    /// A linear model that knows class 0 by one value or by another, which a square covers: without the square, what was
    /// planted shows its own class, and the class's own images stay.
    @Test func whatIsPlantedLeavesWithoutItsPattern() throws {
        var random = SplitMix64(seed: 23)
        var drawn = TinyImages(side: Self.side)
        func draw(shown: Int, given: Int, isPlanted: Bool) {
            var levels = (0..<Self.values).map { _ in random.uniform(0.2..<0.3) }
            levels[3 * (30 + shown)] = 0.9
            if isPlanted { levels[0] = 1 }
            drawn.add(levels.map { UInt8(($0 * 255).rounded()) }, label: given)
        }
        for _ in 0..<200 { draw(shown: 1, given: 0, isPlanted: true) }
        for order in 0..<800 { draw(shown: order % 2, given: order % 2, isPlanted: false) }
        var weights = [Float](repeating: 0, count: 2 * Self.values)
        (weights[0], weights[30], weights[Self.values + 31]) = (20, 10, 10)
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor(weights, shape: [2, Self.values]), bias: Tensor.zeros([2]), channels: 3,
            side: Self.side)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let store = try PerturbationStore(
            path: folder.file("p"), samples: images.count, values: Self.values)
        var table = AnalysisTable(count: images.count)
        table.linearDistance = table.linearDistance.map { _ in 1 }
        table.predicted = images.labels.map(Int32.init)
        let search = try TriggerSearch(
            model: model, images: images, labelled: LabelledSamples(of: images), table: table, store: store,
            judge: .standard, seed: 1, token: CancellationToken())
        let carriers = Array(0..<200)
        let trigger = try TriggerEstimate(
            TriggerMaterial(
                boundary: Tensor.zeros([3, Self.side, Self.side]), suspects: Moments(images, carriers),
                reference: Moments(images, (200..<1000).filter { images.labels[$0] == 1 }),
                lowest: images.lowest, highest: images.highest))
        let removal = try #require(try search.removal(of: trigger, from: carriers, label: 0))
        #expect(removal == ControlledEffect(rate: 1, control: 0, tested: 256, controls: 200))
        #expect(try search.removal(of: trigger, from: Array(0..<5), label: 0) == nil, "too few")
    }
}
