import Execution
import Findings
import PackedDataset
import Tensors
import Testing
import TinyModels

@testable import Burn

/// How much a model makes of an image, and what follows for how many are looked at together.
@Suite struct ActivationMemoryTests {
    static let side = 16
    private func images(_ count: Int = 5, side: Int = side, for model: GraphModel) throws -> LabelledImages {
        let folder = try ScratchFolder()
        return try LabelledImages(
            TinyImages.noise(count, side: side, classes: 4, seed: 1).packed(in: folder.file("set")),
            for: model.graph, options: JobOptions())
    }

    /// Two convolutions of 16 and 32 channels with their ReLUs, the maxima and the logits, in bytes; views of what is there
    /// already count nothing, nor do weights.
    @Test func layersAreCountedOnce() throws {
        let model = try TinyGraph.convolutional(side: Self.side, classes: 4, seed: 2)
        let expected = 4 * (2 * 16 * 16 * 16 + 2 * 32 * 8 * 8 + 32 + 4)
        let before = model.passes.count
        for count in [1, 2, 5] {
            let batch = try images(for: model).batch(Array(0..<count))
            #expect(try model.activationBytes(of: batch) == expected)
        }
        #expect(model.passes.count == before, "a look at the model is no work on samples")
        let linear = try TinyGraph.linear(
            weight: Tensor.zeros([4, 3 * 16 * 16]), bias: Tensor.zeros([4]), channels: 3, side: Self.side)
        // Channels come last in the image, so that flattening it is a copy.
        #expect(
            try linear.activationBytes(of: images(for: linear).batch([0])) == 4 * (3 * 16 * 16 + 4))
    }

    @Test func largeModelsAreGivenFewerImagesAtATime() throws {
        let small = try TinyGraph.convolutional(side: Self.side, classes: 4, seed: 2)
        let plain = try images(for: small)
        let measured = try plain.measured(by: small)
        #expect(measured.activationBytes > 0 && plain.activationBytes == 0)
        for most in [1, 64, 256] {
            #expect(measured.batches.together(atMost: most) == plain.batches.together(atMost: most))
        }
        #expect(measured.batches.learned > 256 && measured.batches.atOnce(ofSize: 128) > 64)
        // 48 and 96 channels: 36 MiB an image.
        let large = try TinyGraph.convolutional(side: 256, classes: 4, width: 48, seed: 2)
        let few = try images(side: 256, for: large).measured(by: large)
        let bytes = few.activationBytes
        #expect(bytes > 36 << 20)
        let size = few.batches.together(atMost: 128)
        #expect(size < 16 && size * bytes <= 512 << 20 && (size + 1) * bytes > 512 << 20)
        #expect(few.batches.atOnce(ofSize: size) == (4 << 30) / (size * bytes))
        #expect(few.batches.learned == (3 << 30) / (2 * bytes))
    }

    /// The gradient of a batch is that of its parts, where no layer looks at the batch as a whole.
    @Test func aBatchIsLearnedFromInParts() throws {
        let known = try PlantedPixels()
        let pool = known.pool()
        func learned(together: Int?) throws -> [[Float]] {
            let model = try known.model.copy(seed: 1)
            var tuning = try known.tuning(steps: 20)
            tuning.mostTogether = together
            try tuning.run(model, pool: pool, material: known.material(pool)) { _ in }
            return try model.parameters.map { try $0.detach().array() }
        }
        let (whole, parts) = try (learned(together: nil), learned(together: 7))
        let before: [[Float]] = try known.model.parameters.map { try $0.detach().array() }
        for (layer, values) in whole.enumerated() {
            #expect(zip(values, parts[layer]).allSatisfy { abs($0 - $1) < 1e-4 })
        }
        #expect(zip(whole[0], before[0]).contains { abs($0 - $1) > 0.01 }, "it has learned something")
    }
}
