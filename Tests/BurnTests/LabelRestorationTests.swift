import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Restored labels of samples whose true classes are known: a linear model sees three classes through noise, and a white
/// pixel sends everything into class 0.
@Suite struct LabelRestorationTests {
    static let side = 6
    static let values = 3 * 36
    static let classes = 4

    struct Case {
        var restoration: LabelRestoration
        var planted: [Int]
        var truth: [Int]
        /// Share of the planted samples that the model alone sees rightly once the pixel is gone.
        var seen: Double
    }

    /// - Parameters:
    ///   - sources: the true classes of planted samples, in turn.
    ///   - moved: which classes' images the trigger moves.
    private func restored(sources: [Int], moved: [Int]) throws -> Case {
        var random = SplitMix64(seed: 11)
        var drawn = TinyImages(side: Self.side)
        func draw(_ label: Int, given: Int, pixel: Bool) {
            var levels = (0..<Self.values).map { _ in random.uniform(0.25..<0.75) }
            levels[3 * (10 + label)] += 0.1
            if pixel { for channel in 0..<3 { levels[channel] = 0.95 } }
            drawn.add(levels.map { UInt8(($0 * 255).rounded()) }, label: given)
        }
        let truth = (0..<300).map { sources[$0 % sources.count] }
        for label in truth { draw(label, given: 0, pixel: true) }
        for order in 0..<900 { draw(1 + order % 3, given: 1 + order % 3, pixel: false) }
        var weights = [Float](repeating: 0, count: Self.classes * Self.values)
        for channel in 0..<3 { weights[36 * channel] = 20 }
        // What a shift by 0.1 beside noise of this width says, in logits.
        for label in 1..<Self.classes { weights[label * Self.values + 10 + label] = 4.8 }
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor(weights, shape: [Self.classes, Self.values]),
            bias: Tensor([-48, 0, 0, 0] as [Float]),
            channels: 3, side: Self.side)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let planted = Array(0..<300)
        let ordinary = Array(300..<1200)
        var table = AnalysisTable(count: images.count)
        for sample in planted { (table.predicted[sample], table.adversarialLabel[sample]) = (0, 0) }
        for sample in ordinary { table.predicted[sample] = Int32(images.labels[sample]) }
        var finding = ClassFinding(label: 0)
        finding.conclude(.backdoored, from: .perturbations)
        let rate = Double(moved.count) / 3
        finding.effect = TriggerEffect(
            form: .moments(scale: 1), rate: rate, random: 0, topSource: moved[0], topSourceRate: 1,
            topSourceRandom: 0, tested: 300)
        // Images that show the same as the planted ones, so that the estimate is of the pixel alone.
        let alike = ordinary.filter { sources.contains(images.labels[$0]) }
        let trigger = try TriggerEstimate(
            boundary: Tensor.zeros([3, Self.side, Self.side]), cluster: Moments(images, planted),
            reference: Moments(images, alike), lowest: images.lowest, highest: images.highest)
        finding.trigger = trigger
        let token = try CancellationToken()
        var restoration = LabelRestoration(
            images: images, table: table, targets: [finding], ordinary: ordinary, mirrors: false, token: token
        )
        try restoration.ask(model, about: planted, sanitised: false)
        let bare = try trigger.removed(from: images.batch(planted))
        let seen: [Int] = try model.forward(bare, mode: .inference, token: token).argmax(1).array()
        return Case(
            restoration: restoration, planted: planted, truth: truth,
            seen: Double(zip(seen, truth).count { $0 == $1 }) / 300)
    }

    private func share(_ found: Case) -> Double {
        Double(found.planted.count { found.restoration.label($0) == found.truth[$0] }) / 300
    }

    @Test func aSingleSourceIsRecognised() throws {
        let found = try restored(sources: [2], moved: [2])
        #expect(found.seen < 0.75)
        #expect(share(found) > 0.95)
        let taught: [Float] = try found.restoration.probabilities(found.planted).select(1, 2).array()
        #expect(taught.reduce(0, +) / 300 > 0.8)
    }

    /// What is seen alone counts where the trigger moves all classes: that it was planted from one would be the removal's doing.
    @Test func aTriggerForAllClassesHasNoSource() throws {
        let found = try restored(sources: [2], moved: [1, 2, 3])
        #expect(abs(share(found) - found.seen) < 0.08)
    }

    /// Nothing is gained where all classes were poisoned alike, and nothing is lost.
    @Test func severalSourcesAreLeftAsTheyAreSeen() throws {
        let found = try restored(sources: [1, 2, 3], moved: [1, 2, 3])
        #expect(share(found) > found.seen - 0.08)
    }
}
