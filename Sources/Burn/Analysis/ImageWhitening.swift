import Evaluation
import Tensors

/// Makes what images have in common by nature vanish, so that what was put into them stands out.
///
/// Natural images differ most in a few smooth ways (brightness, colour, gradients), and a trigger hides below
/// these. After whitening with the data set's own covariance, every direction varies alike, and images that carry
/// the same static pattern (a patch, a blended image, a sinusoid) have rows with a clearly positive cosine,
/// whatever the model makes of it. Inner products of whitened rows are Mahalanobis inner products.
struct ImageWhitening: Sendable {
    /// Numbers in a row.
    let width: Int
    /// Side of the square that larger images are averaged down to.
    private let side: (height: Int, width: Int)
    private let lowest: Tensor
    private let span: Tensor
    private let mean: Tensor
    /// Cholesky factor of the covariance, (width, width), lower.
    private let factor: Tensor

    private static let mostValues = 3072
    /// Images for each number of a row: with fewer, the covariance would fit the images at hand.
    private static let imagesPerValue = 3
    /// Images that the covariance is taken over.
    private static let mostImages = 16_384
    private static let batch = 512
    /// Differences of this many grey levels of 255 count as noise (rounding, compression).
    private static let noise = 2.5

    /// Fewer images than this say too little of their covariance.
    static let fewestImages = 500

    /// Two passes over an even selection of the images.
    init(_ images: LabelledImages, token: CancellationToken) throws {
        let set = images.dataset
        let values = min(Self.mostValues, images.count / Self.imagesPerValue)
        let scale = (Double(values) / Double(set.channels * set.height * set.width)).squareRoot()
        side =
            scale >= 1
            ? (set.height, set.width)
            : (max(1, Int(Double(set.height) * scale)), max(1, Int(Double(set.width) * scale)))
        width = set.channels * side.height * side.width
        lowest = images.lowest
        span = try images.highest - images.lowest
        let stride = max(1, images.count / Self.mostImages)
        let chosen = Array(Swift.stride(from: 0, to: images.count, by: stride))
        let zero = try Tensor.zeros([width])
        var sum = zero
        var products = try Tensor.zeros([width, width])
        let centre = try Self.values(images, Array(chosen.prefix(Self.batch)), lowest, span, side).mean([0])
        for part in Self.parts(chosen) {
            try token.check()
            let rows = try Self.values(images, part, lowest, span, side) - centre
            sum = try sum + rows.sum([0])
            products = try products + rows.transpose().matmul(rows)
        }
        let count = Double(chosen.count)
        let shift = try sum / count
        mean = try centre + shift
        let noise = Self.noise / 255
        let covariance =
            try products / count - shift.unsqueeze(1) * shift.unsqueeze(0)
            + Tensor.eye(width) * (noise * noise)
        factor = try callOperator(
            "aten::linalg_cholesky", "", [.tensor(covariance.to(.float64)), .bool(false)]
        ).to(.float32)
    }

    /// Unit rows (indices.count, width).
    func rows(_ images: LabelledImages, _ indices: [Int]) throws -> Tensor {
        let centred = try Self.values(images, indices, lowest, span, side) - mean
        let solved = try callOperator(
            "aten::linalg_solve_triangular", "",
            [.tensor(factor), .tensor(centred.transpose()), .bool(false), .bool(true), .bool(false)])
        let white = try solved.transpose().contiguous()
        return try white / white.norm([1]).clamp(1e-9, nil).unsqueeze(1)
    }

    /// Whitens all images into `store`.
    func write(_ images: LabelledImages, to store: PerturbationStore, token: CancellationToken) throws {
        for part in Self.parts(Array(0..<images.count)) {
            try token.check()
            try store.write(rows(images, part), at: part[0])
        }
    }

    /// Values from 0 to 1, (indices.count, width).
    private static func values(
        _ images: LabelledImages, _ indices: [Int], _ lowest: Tensor, _ span: Tensor,
        _ side: (height: Int, width: Int)
    ) throws -> Tensor {
        let batch = try (images.batch(indices) - lowest) / span
        let set = images.dataset
        let small =
            side == (set.height, set.width)
            ? batch
            : try callOperator(
                "aten::_adaptive_avg_pool2d", "", [.tensor(batch), .ints([side.height, side.width])])
        return try small.contiguous().flatten(from: 1)
    }

    private static func parts(_ indices: [Int]) -> [[Int]] {
        Swift.stride(from: 0, to: indices.count, by: batch).map {
            Array(indices[$0..<min($0 + batch, indices.count)])
        }
    }
}
