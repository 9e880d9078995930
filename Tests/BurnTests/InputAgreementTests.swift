import Evaluation
import Execution
import Findings
import Problems
import SeededRandom
import Tensors
import Testing
import TinyModels

@testable import Burn

/// A network that sees a label in one pixel, and labels that differ from what it sees.
@Suite struct InputAgreementTests {
    private static let side = 4
    private static let classes = 3
    private static let values = 3 * 16
    private static let samples = 2_000

    private func check(mislabelled: Set<Int>, seed: UInt64) throws {
        var drawn = TinyImages(side: Self.side)
        for order in 0..<Self.samples {
            let shown = order % Self.classes
            var levels = [UInt8](repeating: 0, count: Self.values)
            levels[3 * shown] = 255
            drawn.add(
                levels, label: mislabelled.contains(order) ? (shown + 1) % Self.classes : shown)
        }
        var weights = [Float](repeating: 0, count: Self.classes * Self.values)
        for label in 0..<Self.classes { weights[label * Self.values + label] = 10 }
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor(weights, shape: [Self.classes, Self.values]),
            bias: Tensor([Float](repeating: 0, count: Self.classes)), channels: 3, side: Self.side)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        try InputAgreement.check(model, images, seed: seed, token: CancellationToken())
    }

    @Test func aModelOfOtherLabelsIsRefused() throws {
        #expect(throws: Problem.self) { try check(mislabelled: Set(0..<Self.samples), seed: 1) }
    }

    /// Half of the set is mislabelled: what an attacker draws with the job's seed, and as many as the job asks about.
    @Test(arguments: [1, 2, 42] as [UInt64])
    func anAttackersDrawIsNotTheJobs(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let poisoned = random.sample(1024, outOf: Self.samples)
        try check(mislabelled: Set(poisoned), seed: seed)
    }
}
