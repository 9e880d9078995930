import Tensors

/// A rectangle of the image is replaced: what a sticker or a pasted patch does.
///
/// `AffineValues` takes each value for itself, and needs many carriers to be certain of one. Values that hardly vary among the
/// suspects, next to each other, are certain together.
package struct ReplacedRegion: PixelMechanism {
    package static let name = "region"
    package static let strengths = [1.0]
    package static let heldStrengths = [1.0]
    package static let trainingStrengths = 0.5..<1.0
    package static let isExact = true

    /// (1, H, W): 1 inside, 0 elsewhere.
    private let inside: Tensor
    /// (C, H, W): what stands there.
    private let content: Tensor
    private let background: Tensor
    package let norm: Double
    package let transparency: Double

    /// Values that vary by less than this share of what is usual are covered.
    private static let leastVarying = 0.25
    /// Standard errors by which something else stands there.
    private static let significance = 4.5
    /// Of a rectangle, so much is covered; of an image, no more than so much is the rectangle.
    private static let leastFilled = 0.5
    private static let largest = 0.25

    /// Nil where what is covered fills no rectangle.
    package init?(_ material: TriggerMaterial) throws {
        let (suspects, reference) = (material.suspects, material.reference)
        let (deviation, usual) = try (suspects.deviation(), reference.deviation())
        let isStill = try deviation .<= usual.clamp(1e-4, nil) * Self.leastVarying
        let error = try
            (suspects.variance / Double(suspects.count) + reference.variance / Double(reference.count))
            .sqrt().clamp(1e-4, nil)
        let isOther = try ((suspects.mean - reference.mean) / error).abs() .>= Self.significance
        let covered: [Bool] = try (isStill & isOther).to(.float32).amax([0]).flatten().array(as: Float.self)
            .map { $0 > 0 }
        let (height, width) = try (suspects.mean.size(1), suspects.mean.size(2))
        guard let box = Self.rectangle(around: covered, width: width),
            Double(box.rows.count * box.columns.count) <= Self.largest * Double(height * width)
        else { return nil }
        let mask = (0..<height * width).map { place -> Float in
            box.rows.contains(place / width) && box.columns.contains(place % width) ? 1 : 0
        }
        inside = try Tensor(mask, shape: [1, height, width])
        (content, background) = (suspects.mean, reference.mean)
        norm = try Double(((content - background) * inside).norm().item(as: Float.self))
        transparency = try Double(
            1 - (usual * inside).sum().item(as: Float.self)
                / max(usual.sum().item(as: Float.self), 1e-9))
    }

    /// The smallest one that holds all that is covered; nil where it is mostly not.
    private static func rectangle(
        around covered: [Bool], width: Int
    ) -> (rows: ClosedRange<Int>, columns: ClosedRange<Int>)? {
        let places = covered.indices.filter { covered[$0] }
        guard let top = places.map({ $0 / width }).min(), let bottom = places.map({ $0 / width }).max(),
            let left = places.map({ $0 % width }).min(), let right = places.map({ $0 % width }).max(),
            Double(places.count) >= leastFilled * Double((bottom - top + 1) * (right - left + 1))
        else { return nil }
        return (top...bottom, left...right)
    }

    package func inserted(into images: Tensor, strengths: Tensor) throws -> Tensor {
        try images + (content - images) * inside * strengths.perSample(rank: 4)
    }

    /// What is around it, in its place.
    package func removed(from images: Tensor) throws -> Tensor? {
        try Inpainting(isKnown: inside.expand(background.shape) .< 0.5, background: background)
            .fill(images)
    }

    package func change() throws -> Tensor { try (content - background) * inside }
}
