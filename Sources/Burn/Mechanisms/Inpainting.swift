import Tensors

/// Fills in what a trigger covers in an image: the background, changed as the image differs from it around there.
///
/// The mean of other images alone would be seen as a patch of its own, in a bright image or in a dark one. (Normalised
/// convolution: Knutsson and Westin, 1993.)
struct Inpainting: Sendable {
    /// (C, H, W): 1 where the image is known, 0 elsewhere.
    private let known: Tensor
    /// (C, H, W)
    private let background: Tensor
    /// Sides of the neighbourhoods, widest first, with the share of each that is known, (1, C, H, W).
    private let neighbourhoods: [(side: Int, weight: Tensor)]

    /// - Parameters:
    ///   - isKnown: (C, H, W), boolean.
    ///   - background: (C, H, W), what is usual.
    init(isKnown: Tensor, background: Tensor) throws {
        self.background = background
        known = try isKnown.to(.float32)
        let batch = try known.unsqueeze(0)
        let widest = try max(known.size(1), known.size(2))
        var sides = [3]
        while let last = sides.last, last < 2 * widest { sides.append(2 * last - 1) }
        neighbourhoods = try sides.reversed().map { ($0, try batch.averagePool($0)) }
    }

    /// `images` (N, C, H, W) with the narrowest neighbourhood that is known anywhere for what is not.
    func fill(_ images: Tensor) throws -> Tensor {
        let difference = try (images - background) * known
        var filled = try Tensor.zeros(background.shape)
        for (side, weight) in neighbourhoods {
            let mean = try difference.averagePool(side) / weight.clamp(1e-6, nil)
            filled = try (weight .> 1e-6).choose(mean, filled)
        }
        return try (known .> 0.5).choose(images, filled + background)
    }
}
