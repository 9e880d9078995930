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
    /// Samples of other classes.
    let strangers: [Int]

    /// Two shares of images that land in the class, with noise that is under test and with noise that is not.
    struct Effect: Hashable, Sendable {
        var rate: Double
        var control: Double
        var excess: Double { rate - control }
    }

    /// Samples that the noise is taken out of.
    private static let most = 512

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

    private func noise(of samples: [Int]) throws -> Tensor {
        let source = try images.batch(samples)
        return try source - Self.smooth(source)
    }

    /// As many of one pool as of the next.
    private static func draw(_ count: Int, of pools: [[Int]], using random: inout SplitMix64) -> [Int] {
        (0..<count).map { place in
            let pool = pools[place % pools.count]
            return pool[Int.random(in: pool.indices, using: &random)]
        }
    }

    /// `batch` (n, C, H, W) with the noise of `samples`, one for each, in place of its own.
    func apply(to batch: Tensor, noiseOf samples: [Int]) throws -> Tensor {
        try (Self.smooth(batch) + noise(of: samples)).clamp(images.lowest, images.highest)
    }

    /// `batch` with the noise of donors, drawn at random, beside its own.
    func add(to batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        let drawn = try Self.draw(batch.size(0), of: [donors], using: &random)
        return try (batch + noise(of: drawn)).clamp(images.lowest, images.highest)
    }

    /// What the donors' noise is compared with: that of strangers.
    var control: NoiseTransplant {
        var control = self
        control.donors = strangers
        return control
    }

    /// The share of `probes`, clean-looking images of other classes than `label`, that land there with noise of donors.
    func insertion(
        into label: Int, probes: [Int], model: GraphModel, seed: UInt64, token: CancellationToken
    ) throws -> Double {
        var random = SplitMix64(seed: seed)
        return try share(of: probes, in: label, noiseOf: [donors], model, &random, token)
    }

    /// What is left without it: the share of controls that stay in `label` with noise that is not the donors', and of
    /// donors (as `control`) that do. Both are samples that the model finds there as they are. Nil for too few.
    ///
    /// Half of that noise is of the class's own other images, which disturbs natural images least; half is of other
    /// classes', because the noise of a texture is the texture, and would hold in its class whatever wears it.
    func removal(
        from label: Int, predicted: [Int32], model: GraphModel, seed: UInt64, token: CancellationToken
    ) throws -> Effect? {
        var random = SplitMix64(seed: seed)
        func found(_ samples: [Int]) -> [Int] {
            Array(
                samples.filter { Int(predicted[$0]) == label }.shuffled(using: &random).prefix(Self.most))
        }
        let (inside, outside) = (found(donors), found(controls))
        guard min(inside.count, outside.count) >= ClassCoherence.fewestMembers else { return nil }
        let other = [outside, strangers]
        return Effect(
            rate: try share(of: outside, in: label, noiseOf: other, model, &random, token),
            control: try share(of: inside, in: label, noiseOf: other, model, &random, token))
    }

    private func share(
        of samples: [Int], in label: Int, noiseOf sources: [[Int]], _ model: GraphModel,
        _ random: inout SplitMix64, _ token: CancellationToken
    ) throws -> Double {
        var hits = 0
        for part in images.parts(of: samples) {
            let drawn = Self.draw(part.count, of: sources, using: &random)
            let predictions: [Int] = try model.forward(
                apply(to: images.batch(part), noiseOf: drawn).channelsLast(), mode: .inference, token: token
            ).argmax(1).array()
            hits += predictions.count { $0 == label }
        }
        return Double(hits) / Double(max(samples.count, 1))
    }
}
