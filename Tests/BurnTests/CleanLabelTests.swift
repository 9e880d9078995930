import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Which of its two estimates a trigger gets: that against other classes, or that against the class's own images.
@Suite struct CleanLabelTests {
    private static let side = 6
    private static let values = 3 * 36
    private static let classes = 4

    /// Images of classes 1 and 2 under a faint pattern, labelled as 0. Their adversarial labels all name class 3, whose images
    /// are darker, so that those of class 0 look more like them; and bringing their mean to that of class 0 makes them show it.
    @Test func otherClassesImagesAreNotCleanLabel() throws {
        var random = SplitMix64(seed: 21)
        var drawn = TinyImages(side: Self.side)
        let pattern = (0..<Self.values).map { _ in random.uniform(0..<1) }
        func draw(_ shown: Int, given: Int, isPlanted: Bool) {
            var levels = (0..<Self.values).map { _ in random.uniform(0.25..<0.65) }
            if shown == 3 { levels = levels.map { $0 - 0.15 } }
            levels[3 * (10 + shown)] += 0.3
            if isPlanted { levels = zip(levels, pattern).map { 0.8 * $0 + 0.2 * $1 } }
            drawn.add(levels.map { UInt8(($0 * 255).rounded()) }, label: given)
        }
        for order in 0..<400 { draw(1 + order % 2, given: 0, isPlanted: true) }
        for order in 0..<1600 { draw(order % Self.classes, given: order % Self.classes, isPlanted: false) }
        var weights = [Float](repeating: 0, count: Self.classes * Self.values)
        for label in 0..<Self.classes { weights[label * Self.values + 10 + label] = 30 }
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor(weights, shape: [Self.classes, Self.values]),
            bias: Tensor.zeros([Self.classes]), channels: 3, side: Self.side)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        let store = try PerturbationStore(
            path: folder.file("p"), samples: images.count, values: Self.values)
        try store.write(Tensor.zeros([images.count, Self.values]), of: Array(0..<images.count))
        var table = AnalysisTable(count: images.count)
        table.linearDistance = table.linearDistance.map { _ in 1 }
        table.predicted = images.labels.map(Int32.init)
        for sample in 0..<400 { table.runnerUp[sample] = 3 }
        let search = try TriggerSearch(
            model: model, images: images, labelled: LabelledSamples(of: images), table: table, store: store,
            judge: .standard, seed: 1, token: CancellationToken())
        var finding = ClassFinding(label: 0, judge: .standard)
        try search.examine(&finding, suspects: Array(0..<400))
        #expect(!finding.isCleanLabel)
        // What the other estimate would have said.
        let own = try TriggerEstimate(
            TriggerMaterial(
                boundary: Tensor.zeros([3, Self.side, Self.side]),
                suspects: Moments(images, Array(0..<400)),
                reference: Moments(images, (400..<2000).filter { images.labels[$0] == 0 }),
                lowest: images.lowest, highest: images.highest, keepsFaint: true))
        let trigger = try #require(finding.trigger)
        #expect(own.contentDifference < trigger.contentDifference)
        let shown = try search.predictions(Array(0..<400), without: own)
        #expect(shown.count { $0 == 0 } > 200)
    }
}
