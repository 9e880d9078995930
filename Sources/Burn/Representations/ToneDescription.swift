import Tensors

/// How light an image is and how its colours are mixed, whatever it shows and wherever: histograms of each channel, and of
/// the differences between one channel and the next.
struct ToneDescription: ImageDescription {
    let width: Int
    let noise: Double?
    private let images: LabelledImages
    private let span: Tensor

    private static let bins = 32
    /// Grey levels of a bin, out of 256.
    private static let levels = 8.0
    /// The middle of a histogram of differences, which span 256 of 511 levels: colours differ by more hardly ever.
    private static let middle = 128.0

    init(_ images: LabelledImages) throws {
        let set = images.dataset
        self.images = images
        span = try images.highest - images.lowest
        width = (2 * set.channels - 1) * Self.bins
        noise = 1 / Double(4 * set.height * set.width)
    }

    func values(_ indices: [Int]) throws -> Tensor {
        let parts = images.parts(of: indices, atMost: 512)
        return try Tensor.cat(parts.map { try histograms((images.batch($0) - images.lowest) / span * 255) })
    }

    /// Of images in grey levels, (n, C, H, W).
    private func histograms(_ levels: Tensor) throws -> Tensor {
        let channels = try (0..<levels.size(1)).map { try levels.select(1, $0).contiguous().flatten(from: 1) }
        let differences = try zip(channels, channels.dropFirst()).map { try $0 - $1 + Self.middle }
        return try Tensor.cat(
            (channels + differences).map { values in
                let bin = try (values.round() / Self.levels).floor().clamp(0, Double(Self.bins - 1))
                return try rootHistograms(bin, bins: Self.bins)
            }, 1)
    }
}
