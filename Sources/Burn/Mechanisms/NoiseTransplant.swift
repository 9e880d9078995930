import Support
import Tensors

/// Puts the noise of some images into others: what is left of an image without its local mean is laid over the local mean
/// of another. Dithering, scattered pixels and faint patterns go along.
struct NoiseTransplant: StyleTransplant {
    let images: LabelledImages
    var donors: [Int]
    let controls: [Int]
    let strangers: [Int]

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

    func taking(from donors: [Int]) -> NoiseTransplant {
        var other = self
        other.donors = donors
        return other
    }

    func put(into batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        try apply(to: batch, noiseOf: Self.draw(batch.size(0), of: [donors], using: &random))
    }

    /// Beside the images' own.
    func mix(into batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        let drawn = try Self.draw(batch.size(0), of: [donors], using: &random)
        return try (batch + noise(of: drawn)).clamp(images.lowest, images.highest)
    }

    /// Half of the noise that takes its place is of the class's own other images, which disturbs natural images least; half
    /// is of other classes', because the noise of a texture is the texture, and would hold in its class whatever wears it.
    func take(
        outOf batch: Tensor, of side: StyleSide, natural: [Int], using random: inout SplitMix64
    ) throws -> Tensor {
        try apply(
            to: batch, noiseOf: Self.draw(batch.size(0), of: [natural, strangers], using: &random))
    }

    /// What noise has hidden, or taken away, is not known.
    func undone(_ batch: Tensor) -> Tensor? { nil }
}
