import Tensors

/// x ↦ x + s b, with b minus the mean perturbation of the suspects: what carries poisoned samples out of the class, turned
/// round, carries others in.
package struct AddedPattern: PixelMechanism {
    package static let name = "boundary"
    package static let strengths = [1.0, 2, 4]
    package static let heldStrengths = [2.0]
    package static let trainingStrengths = 0.6..<3.0
    package static let isExact = false

    /// (C, H, W): b, in input units.
    package let pattern: Tensor
    package let norm: Double
    private let lowest: Tensor
    private let highest: Tensor

    package init(_ material: TriggerMaterial) throws {
        pattern = material.boundary
        norm = try Double(pattern.norm().item(as: Float.self))
        (lowest, highest) = (material.lowest, material.highest)
    }

    package var transparency: Double { 1 }

    package func inserted(into images: Tensor, strengths: Tensor) throws -> Tensor {
        try adding(pattern, to: images, strengths: strengths)
    }

    /// Images with another pattern, (C, H, W) or (n, C, H, W), in place of its own.
    package func adding(_ pattern: Tensor, to images: Tensor, strengths: Tensor) throws -> Tensor {
        try (images + pattern * strengths.perSample(rank: 4)).clamp(lowest, highest)
    }

    /// A mean perturbation holds some of the class: without it, an image is not what it was.
    package func removed(from images: Tensor) throws -> Tensor? { nil }

    package func change() throws -> Tensor { pattern }
}
