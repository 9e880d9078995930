import Evaluation
import Execution
import SeededRandom
import Tensors

/// Puts the noise of some images into others: what is left of an image without its local mean is laid over the local mean
/// of another.
///
/// A trigger that changes how pixels differ from their neighbours (dithering, scattered pixels, a faint pattern) goes
/// along, and what the image shows hardly does. So such a trigger can be tested, and unlearned, without being known.
struct NoiseTransplant: Sendable {
    let images: LabelledImages
    /// Samples whose noise is taken.
    var donors: [Int]
    /// Samples of the same class without the donors' noise.
    let controls: [Int]

    /// Shares of other classes' images that land in the class with noise of donors, and of controls.
    struct Effect: Hashable, Sendable {
        var rate: Double
        var control: Double
        var excess: Double { rate - control }
    }

    private static let batch = 256

    /// The local mean: of 3 x 3 values, mirrored at the border.
    private static func smooth(_ batch: Tensor) throws -> Tensor {
        let padded = try callOperator("aten::reflection_pad2d", "", [.tensor(batch), .ints([1, 1, 1, 1])])
        return try callOperator(
            "aten::avg_pool2d", "",
            [
                .tensor(padded), .ints([3, 3]), .ints([1, 1]), .ints([0, 0]), .bool(false), .bool(true),
                .none,
            ])
    }

    /// `batch` (n, C, H, W) with the noise of `samples`, one for each.
    func apply(to batch: Tensor, noiseOf samples: [Int]) throws -> Tensor {
        let source = try images.batch(samples)
        return try (Self.smooth(batch) + source - Self.smooth(source)).clamp(images.lowest, images.highest)
    }

    /// `batch` with the noise of donors, drawn at random, beside its own.
    func add(to batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        let drawn = try (0..<batch.size(0)).map { _ in donors[Int.random(in: donors.indices, using: &random)]
        }
        let source = try images.batch(drawn)
        return try (batch + source - Self.smooth(source)).clamp(images.lowest, images.highest)
    }

    /// Tested on `probes`, clean-looking images of other classes than `label`.
    func effect(
        into label: Int, probes: [Int], model: GraphModel, seed: UInt64, token: CancellationToken
    ) throws -> Effect {
        var random = SplitMix64(seed: seed)
        func rate(_ sources: [Int]) throws -> Double {
            var hits = 0
            for start in stride(from: 0, to: probes.count, by: Self.batch) {
                let part = Array(probes[start..<min(start + Self.batch, probes.count)])
                let drawn = part.map { _ in sources[Int.random(in: sources.indices, using: &random)] }
                let predictions: [Int] = try model.forward(
                    apply(to: images.batch(part), noiseOf: drawn).channelsLast(), mode: .inference,
                    token: token
                ).argmax(1).array()
                hits += predictions.count { $0 == label }
            }
            return Double(hits) / Double(max(probes.count, 1))
        }
        return Effect(rate: try rate(donors), control: try rate(controls))
    }
}
