import Execution
import Findings
import PackedDataset
import Tensors
import Testing
import TinyModels

@testable import Burn

/// Whether a model is let compute in reduced precision is measured on it.
@Suite struct PrecisionTrialTests {
    private func trial(
        of model: GraphModel, _ images: TinyImages = TinyImages.noise(80, side: 16, classes: 4, seed: 1)
    ) throws -> PrecisionTrial? {
        let folder = try ScratchFolder()
        let images = try LabelledImages(
            images.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        return try PrecisionTrial.run(model, images, token: try CancellationToken())
    }

    @Test(.enabled(if: ReducedPrecision.isFast))
    func anOrdinaryModelPasses() throws {
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 2)
        let trial = try #require(try trial(of: model))
        #expect(trial.isAccepted && trial.median > 0.98 && trial.lowest < 1, "\(trial)")
        #expect(trial.agreement == 1 && trial.images == 64)
        #expect(model.isReduced)
        #expect(trial.description.contains("are taken in bfloat16: of 64 images 100 % are predicted alike"))
    }

    /// The first layer adds a number beside which bfloat16 holds nothing of the image, and the next takes it away again.
    @Test(.enabled(if: ReducedPrecision.isFast))
    func aModelThatNeedsMoreBitsIsLeftInFull() throws {
        let model = try TinyGraph.convolutional(side: 16, classes: 4, seed: 2)
        let bias = try #require(model.namedWeights.first { $0.tensor.rank == 1 })
        try model.load([bias.name: bias.tensor + 3_000])
        let trial = try #require(try trial(of: model))
        #expect(!trial.isAccepted, "\(trial)")
        #expect(!model.isReduced)
        #expect(trial.description.hasPrefix("products before the last layer are not taken in bfloat16"))
    }

    /// Without a layer before the last there is nothing to reduce.
    @Test func aLinearModelIsNotReduced() throws {
        let model = try TinyGraph.linear(
            weight: Tensor.randn([4, 3 * 16 * 16], generator: Generator(seed: 1)), bias: Tensor.zeros([4]),
            channels: 3, side: 16)
        _ = try trial(of: model)
        let images = try Tensor.rand([8, 3, 16, 16], generator: Generator(seed: 2))
        let (full, reduced) = (
            try model.forward(images, mode: .inference),
            try model.forward(images, mode: .inference, precision: .reduced)
        )
        #expect(try (full - reduced).abs().amax().item(as: Float.self) == 0)
    }
}
