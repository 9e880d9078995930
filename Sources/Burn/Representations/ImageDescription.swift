import Tensors

/// Numbers that describe an image, for `ImageWhitening`.
protocol ImageDescription: Sendable {
    /// Numbers of an image.
    var width: Int { get }
    /// Variance that a number has by noise alone: differences no larger count for nothing. Nil where the images have to tell
    /// (`ImageWhitening`).
    var noise: Double? { get }
    /// (indices.count, width)
    func values(_ indices: [Int]) throws -> Tensor
}

/// An image's own values, from 0 to 1; large images are averaged down.
struct PixelDescription: ImageDescription {
    let width: Int
    let noise: Double? = nil
    private let images: LabelledImages
    private let side: (height: Int, width: Int)
    private let span: Tensor

    private static let mostValues = 3072
    /// Images for each number: with fewer, a covariance would fit the images at hand.
    private static let imagesPerValue = 3

    init(_ images: LabelledImages) throws {
        let set = images.dataset
        let values = min(Self.mostValues, images.count / Self.imagesPerValue)
        let scale = (Double(values) / Double(set.channels * set.height * set.width)).squareRoot()
        side =
            scale >= 1
            ? (set.height, set.width)
            : (max(1, Int(Double(set.height) * scale)), max(1, Int(Double(set.width) * scale)))
        width = set.channels * side.height * side.width
        self.images = images
        span = try images.highest - images.lowest
    }

    func values(_ indices: [Int]) throws -> Tensor {
        try Tensor.cat(images.parts(of: indices, atMost: 512).map(reduced))
    }

    private func reduced(_ indices: [Int]) throws -> Tensor {
        let batch = try (images.batch(indices) - images.lowest) / span
        let set = images.dataset
        let small =
            side == (set.height, set.width)
            ? batch
            : try callOperator(
                "aten::_adaptive_avg_pool2d", "", [.tensor(batch), .ints([side.height, side.width])])
        return try small.contiguous().flatten(from: 1)
    }
}

/// Histograms of the rows of `values`, (n, m) whole numbers from 0 to below `bins`, as square roots of the shares: (n, bins).
/// The square root of a share is equally noisy whatever its size, with a variance of 1 / 4m.
func rootHistograms(_ values: Tensor, bins: Int) throws -> Tensor {
    let (count, width) = try (values.size(0), values.size(1))
    let own = try values + Tensor.arange(count).unsqueeze(1) * Double(bins)
    let counts = try own.to(.int64).flatten().binCount(minimumLength: count * bins)
        .reshape([count, bins]).to(.float32)
    return try (counts / Double(width)).sqrt()
}
