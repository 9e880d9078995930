import Tensors

/// Makes what images have in common by nature vanish, so that what was put into them stands out.
///
/// Natural images differ most in a few smooth ways (brightness, colour, gradients), and a trigger hides below
/// these. After whitening with the data set's own covariance, every direction varies alike, and images that carry
/// the same static pattern (a patch, a blended image, a sinusoid) have rows with a clearly positive cosine,
/// whatever the model makes of it. Inner products of whitened rows are Mahalanobis inner products.
struct ImageWhitening: Sendable {
    private let description: any ImageDescription
    private let mean: Tensor
    /// Cholesky factor of the covariance, (width, width), lower.
    private let factor: Tensor

    /// Images that the covariance is taken over.
    private static let mostImages = 16_384
    private static let batch = 512

    /// Fewer images than this say too little of their covariance.
    static let fewestImages = 500

    /// Numbers in a row.
    var width: Int { description.width }

    /// Two passes over an even selection of `count` images.
    init(_ description: any ImageDescription, of count: Int, token: CancellationToken) throws {
        self.description = description
        let width = description.width
        let stride = max(1, count / Self.mostImages)
        let chosen = Array(Swift.stride(from: 0, to: count, by: stride))
        var sum = try Tensor.zeros([width])
        for part in Self.parts(chosen) {
            try token.check()
            sum = try sum + description.values(part).sum([0])
        }
        mean = try sum / Double(chosen.count)
        var products = try Tensor.zeros([width, width])
        var fourthPowers = 0.0
        for part in Self.parts(chosen) {
            try token.check()
            let rows = try description.values(part) - mean
            products = try products + rows.transpose().matmul(rows)
            fourthPowers += try Double(rows.square().sum([1]).square().sum().item(as: Float.self))
        }
        let covariance = try products / Double(chosen.count)
        let noise = try description.noise ?? Self.noise(of: covariance, fourthPowers, chosen.count)
        factor = try callOperator(
            "aten::linalg_cholesky", "",
            [.tensor((covariance + Tensor.eye(width) * noise).to(.float64)), .bool(false)]
        ).to(.float32)
    }

    /// What has to be added to each value's variance, for a covariance of few images not to fit these alone: the linear
    /// shrinkage of least expected error (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
    /// matrices", Journal of Multivariate Analysis 88, 2004, equation 14), as a part of the matrix that is left.
    ///
    /// - Parameter fourthPowers: of the rows' norms, summed.
    static func noise(of covariance: Tensor, _ fourthPowers: Double, _ count: Int) throws -> Double {
        let width = try Double(covariance.size(0))
        let variance = try Double((covariance * Tensor.eye(covariance.size(0))).sum().item(as: Float.self))
        let usual = variance / width
        let squares = try Double(covariance.square().sum().item(as: Float.self))
        let spread = squares / width - usual * usual
        let error = (fourthPowers / Double(count) - squares) / (Double(count) * width)
        let share = min(mostShrunk, max(0, error) / max(spread, 1e-300))
        // The last is what sums in single precision are wrong by.
        return max(share / (1 - share) * usual, leastNoise, variance * Double(Float.ulpOfOne))
    }

    /// So much of the matrix is left, or nothing would be known of it.
    private static let mostShrunk = 0.9
    /// Of values from 0 to 1 that are rounded to 256 levels.
    private static let leastNoise = 1 / (12.0 * 255 * 255)

    /// Unit rows (indices.count, width).
    func rows(_ indices: [Int]) throws -> Tensor {
        let centred = try description.values(indices) - mean
        let solved = try callOperator(
            "aten::linalg_solve_triangular", "",
            [.tensor(factor), .tensor(centred.transpose()), .bool(false), .bool(true), .bool(false)])
        return try solved.transpose().contiguous().unitRows()
    }

    /// Whitens `count` images into a file.
    func write(_ count: Int, to path: String, token: CancellationToken) throws -> PerturbationStore {
        let store = try PerturbationStore(path: path, samples: count, values: width)
        for part in Self.parts(Array(0..<count)) {
            try token.check()
            try store.write(rows(part), of: part)
        }
        return store
    }

    private static func parts(_ indices: [Int]) -> [[Int]] {
        stride(from: 0, to: indices.count, by: batch).map {
            Array(indices[$0..<min($0 + batch, indices.count)])
        }
    }
}
