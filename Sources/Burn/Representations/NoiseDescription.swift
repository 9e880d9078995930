import Tensors

/// How an image's pixels differ from their neighbours, whatever it shows and wherever: histograms of differences.
///
/// Steganalysis tells images that something was hidden in by such numbers (Pevný, Bas and Fridrich, "Steganalysis by
/// subtractive pixel adjacency matrix", 2010; Fridrich and Kodovský, "Rich models for steganalysis of digital images",
/// 2012). Here they are first differences along rows and columns and two residuals of second order, all in grey levels.
/// Square roots of the shares, which are all equally noisy.
struct NoiseDescription: ImageDescription {
    let width = 4 * (2 * NoiseDescription.range + 1)
    let noise: Double?
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
        let flat = try differences.contiguous().flatten(from: 1)
        let bin = try flat.round().clamp(Double(-Self.range), Double(Self.range)) + Double(Self.range)
        return try rootHistograms(bin, bins: 2 * Self.range + 1)
    }
}
