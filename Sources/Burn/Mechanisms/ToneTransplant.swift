import Support
import Tensors

/// Puts the tones of some images into others, as the change of tone that turns strangers' colours into the donors'
/// (`ToneMap`), and takes them out, as the change back.
struct ToneTransplant: StyleTransplant {
    let images: LabelledImages
    let donors: [Int]
    let controls: [Int]
    let strangers: [Int]
    private let insertion: ToneMap
    private let removal: ToneMap
    /// What makes the controls' tones ordinary in the same way.
    private let ordinary: ToneMap

    /// How much of the change training images get: less than an image that carries the trigger, up to more.
    private static let strengths = 0.3..<1.5

    init(images: LabelledImages, donors: [Int], controls: [Int], strangers: [Int]) throws {
        self.images = images
        self.donors = donors
        self.controls = controls
        self.strangers = strangers
        let (own, usual) = try (ToneMap.Palette(images, donors), ToneMap.Palette(images, strangers))
        insertion = try ToneMap(images, from: usual, to: own)
        removal = try ToneMap(images, from: own, to: usual)
        ordinary = try ToneMap(images, from: ToneMap.Palette(images, controls), to: usual)
    }

    func taking(from donors: [Int]) throws -> ToneTransplant {
        try ToneTransplant(images: images, donors: donors, controls: controls, strangers: strangers)
    }

    func put(into batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        try insertion.apply(to: batch)
    }

    func mix(into batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        let strength = Double.random(in: Self.strengths, using: &random)
        return try (batch + (insertion.apply(to: batch) - batch) * strength)
            .clamp(images.lowest, images.highest)
    }

    func take(
        outOf batch: Tensor, of side: StyleSide, natural: [Int], using random: inout SplitMix64
    ) throws -> Tensor {
        try (side == .donors ? removal : ordinary).apply(to: batch)
    }

    func undone(_ batch: Tensor) throws -> Tensor? { try removal.apply(to: batch) }
}
