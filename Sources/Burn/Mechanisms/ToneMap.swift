import Foundation
import Tensors

/// The change of tone that turns the colours of some images into those of others: one linear map of the colours, then a
/// curve for each channel.
///
/// The map is the optimal transport between two normal distributions (Pitié and Kokaram, "The linear Monge-Kantorovitch
/// linear colour mapping for example-based colour transfer", 2007), the curves match what is left of the marginal
/// distributions. Both are of all pixels of many images together: every image keeps what sets it apart from the others.
/// A photo filter is such a change of tone, so that one is found from images with and without it.
struct ToneMap: Sendable {
    /// (C, 1)
    private let fromMean: Tensor
    private let toMean: Tensor
    /// (C, C)
    private let linear: Tensor
    /// (C, levels), ascending: values after the linear map, and what they become.
    private let before: Tensor
    private let after: Tensor
    private let images: LabelledImages

    private static let mostImages = 512
    private static let mostPixels = 131_072
    private static let levels = 65
    /// Variance below which a direction of the colours counts as having none, as a share of the images' range squared.
    private static let fewestVariance = 1e-5

    /// The colours of many images together.
    struct Palette {
        /// (C, pixels)
        let pixels: Tensor
        /// (C, 1)
        let mean: Tensor
        /// (C, C)
        let covariance: Tensor

        /// Of an even selection of `samples`, which are not empty.
        init(_ images: LabelledImages, _ samples: [Int]) throws {
            pixels = try ToneMap.pixels(images, samples)
            mean = try pixels.mean([1], keepDimensions: true)
            let centred = try pixels - mean
            covariance = try centred.matmul(centred.transpose()) / Double(pixels.size(1))
        }
    }

    /// From the colours of one list of samples to those of another, both not empty.
    init(_ images: LabelledImages, from: [Int], to: [Int]) throws {
        try self.init(images, from: Palette(images, from), to: Palette(images, to))
    }

    init(_ images: LabelledImages, from source: Palette, to target: Palette) throws {
        self.images = images
        (fromMean, toMean) = (source.mean, target.mean)
        let range = try Double((images.highest - images.lowest).amax().item(as: Float.self))
        let least = Self.fewestVariance * range * range
        let root = try Self.power(source.covariance, 0.5, least)
        let inverse = try Self.power(source.covariance, -0.5, least)
        let middle = try root.matmul(target.covariance).matmul(root)
        linear = try inverse.matmul(Self.power(middle, 0.5, least * least)).matmul(inverse)
        let mapped = try toMean + linear.matmul(source.pixels - fromMean)
        before = try Self.quantiles(mapped)
        after = try Self.quantiles(target.pixels)
    }

    /// (n, C, H, W) with its tones changed.
    func apply(to batch: Tensor) throws -> Tensor {
        let (count, channels) = try (batch.size(0), batch.size(1))
        let (height, width) = try (batch.size(2), batch.size(3))
        let flat = try batch.contiguous().permute([1, 0, 2, 3]).contiguous().reshape([channels, -1])
        let mapped = try (toMean + linear.matmul(flat - fromMean)).contiguous()
        let place = try callOperator(
            "aten::searchsorted", "Tensor",
            [.tensor(before), .tensor(mapped), .bool(false), .bool(false), .none, .none]
        ).clamp(1, Double(Self.levels - 1)).to(.int64)
        let below = try place - Tensor.ones([1], type: .int64)
        let (low, high) = try (before.gather(1, below), before.gather(1, place))
        let share = try ((mapped - low) / (high - low).clamp(1e-6, nil)).clamp(0, 1)
        let (start, end) = try (after.gather(1, below), after.gather(1, place))
        return try (start + share * (end - start)).reshape([channels, count, height, width])
            .permute([1, 0, 2, 3]).contiguous().clamp(images.lowest, images.highest)
    }

    /// Pixels of an even selection of `samples`, (C, pixels).
    private static func pixels(_ images: LabelledImages, _ samples: [Int]) throws -> Tensor {
        let step = max(1, samples.count / mostImages)
        let chosen = stride(from: 0, to: samples.count, by: step).map { samples[$0] }
        let area = images.dataset.height * images.dataset.width
        // An odd step, so that not every row is met at the same columns.
        let spacing = max(1, chosen.count * area / mostPixels) | 1
        let places = try Tensor(Array(stride(from: 0, to: area, by: spacing)))
        return try Tensor.cat(
            images.parts(of: chosen).map { part in
                try images.batch(part).contiguous().flatten(from: 2).indexSelect(2, places)
                    .permute([1, 0, 2]).contiguous().flatten(from: 1)
            }, 1)
    }

    /// Of a symmetric matrix without negative eigenvalues, which count as at least `least`.
    private static func power(_ matrix: Tensor, _ exponent: Double, _ least: Double) throws -> Tensor {
        let (values, vectors) = try matrix.symmetricEigen()
        let powers = try values.clamp(least, nil).pow(exponent)
        return try (vectors * powers.unsqueeze(0)).matmul(vectors.transpose())
    }

    /// Of each row, at even steps: (C, levels).
    private static func quantiles(_ pixels: Tensor) throws -> Tensor {
        let (channels, count) = try (pixels.size(0), pixels.size(1))
        var rows: [Float] = []
        for channel in 0..<channels {
            let sorted: [Float] = try pixels.select(0, channel).array().sorted()
            rows += (0..<levels).map { sorted[$0 * (count - 1) / (levels - 1)] }
        }
        return try Tensor(rows, shape: [channels, levels])
    }
}
