import Evaluation
import Tensors

/// Numbers that describe an image, for `ImageWhitening`.
protocol ImageDescription: Sendable {
    /// Numbers of an image.
    var width: Int { get }
    /// Variance that a number has by noise alone: differences no larger count for nothing.
    var noise: Double { get }
    /// (indices.count, width)
    func values(_ indices: [Int]) throws -> Tensor
}

/// An image's own values, from 0 to 1; large images are averaged down.
struct PixelDescription: ImageDescription {
    let width: Int
    let noise = (PixelDescription.noiseLevels / 255) * (PixelDescription.noiseLevels / 255)
    private let images: LabelledImages
    private let side: (height: Int, width: Int)
    private let span: Tensor

    private static let mostValues = 3072
    /// Images for each number: with fewer, a covariance would fit the images at hand.
    private static let imagesPerValue = 3
    /// Differences of this many grey levels of 255 count as noise (rounding, compression).
    private static let noiseLevels = 2.5

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

/// How an image's pixels differ from their neighbours, whatever it shows and wherever: histograms of differences.
///
/// Steganalysis tells images that something was hidden in by such numbers (Pevný, Bas and Fridrich, "Steganalysis by
/// subtractive pixel adjacency matrix", 2010; Fridrich and Kodovský, "Rich models for steganalysis of digital images",
/// 2012). Here they are first differences along rows and columns and two residuals of second order, all in grey levels.
/// Square roots of the shares, which are all equally noisy.
struct NoiseDescription: ImageDescription {
    let width = 4 * (2 * NoiseDescription.range + 1)
    let noise: Double
    private let images: LabelledImages
    private let span: Tensor

    /// Differences beyond this many grey levels are counted with it.
    private static let range = 40
    private static let smallestSide = 3

    /// Nil for images that are too small to have neighbourhoods.
    init?(_ images: LabelledImages) throws {
        let set = images.dataset
        guard min(set.height, set.width) >= Self.smallestSide else { return nil }
        self.images = images
        span = try images.highest - images.lowest
        // The variance of the square root of a share, of as many differences as an image has.
        noise = 1 / Double(4 * set.channels * (set.height - 2) * (set.width - 2))
    }

    func values(_ indices: [Int]) throws -> Tensor {
        let parts = images.parts(of: indices, atMost: 512)
        return try Tensor.cat(parts.map { try histograms((images.batch($0) - images.lowest) / span * 255) })
    }

    /// Of images in grey levels, (n, C, H, W).
    private func histograms(_ levels: Tensor) throws -> Tensor {
        let (height, width) = try (levels.size(2), levels.size(3))
        func shifted(_ down: Int, _ right: Int) throws -> Tensor {
            try levels.narrow(2, 1 + down, height - 2).narrow(3, 1 + right, width - 2)
        }
        let centre = try shifted(0, 0)
        let (above, below, before, after) = try (
            shifted(-1, 0), shifted(1, 0), shifted(0, -1), shifted(0, 1)
        )
        let cross = try above + below + before + after
        let corners = try shifted(-1, -1) + shifted(-1, 1) + shifted(1, -1) + shifted(1, 1)
        let differences = try [
            after - centre, below - centre, centre - cross / 4, centre - cross / 2 + corners / 4,
        ]
        return try Tensor.cat(differences.map(shares), 1)
    }

    private func shares(_ differences: Tensor) throws -> Tensor {
        let (count, bins) = (try differences.size(0), 2 * Self.range + 1)
        let flat = try differences.contiguous().flatten(from: 1)
        let bin = try flat.round().clamp(Double(-Self.range), Double(Self.range)).to(.int64)
        let own = try bin + Tensor.arange(count).unsqueeze(1) * Double(bins) + Double(Self.range)
        let counts = try own.to(.int64).flatten().binCount(minimumLength: count * bins)
            .reshape([count, bins]).to(.float32)
        return try (counts / Double(flat.size(1))).sqrt()
    }
}
