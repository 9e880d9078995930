import Findings

/// What an image has beside what it shows, and where: a trigger may be made of it, and no direction or pattern is then
/// common to the images that carry it.
package enum ImageStyle: String, CaseIterable, Codable, Sendable {
    /// How pixels differ from their neighbours: a coarser palette, scattered pixels, compression, a blur.
    case noise
    /// How light the images are and how their colours are mixed: a photo filter, another gamma.
    case tone

    /// Numbers that images with a style of their own stand apart by; nil for images that are too small to have it.
    func description(of images: LabelledImages) throws -> (any ImageDescription)? {
        switch self {
        case .noise: try NoiseDescription(images)
        case .tone: try ToneDescription(images)
        }
    }

    /// The weaker of its two effects that counts as one. Noise tells next to nothing of what an image shows, tones tell more:
    /// a class may be yellow.
    func leastEffect(_ parameters: Parameters) -> Double {
        switch self {
        case .noise: parameters.weakEffect
        case .tone: parameters.workingEffect
        }
    }

    /// - Parameters:
    ///   - donors: samples whose style is taken.
    ///   - controls: samples of the same class without it.
    ///   - strangers: samples of other classes.
    func transplant(
        _ images: LabelledImages, donors: [Int], controls: [Int], strangers: [Int]
    ) throws -> any StyleTransplant {
        switch self {
        case .noise:
            NoiseTransplant(images: images, donors: donors, controls: controls, strangers: strangers)
        case .tone:
            try ToneTransplant(images: images, donors: donors, controls: controls, strangers: strangers)
        }
    }

    /// Of the weaker of its two effects, between classes that nothing was planted into.
    var naturalSpread: NaturalSpread {
        switch self {
        case .noise: .noise
        case .tone: .tone
        }
    }

    /// How light an image is and how it is coloured tells what it shows, other than its noise.
    var showsContent: Bool { self == .tone }
}
