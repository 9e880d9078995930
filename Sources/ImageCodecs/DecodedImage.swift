/// Height, width and channels (1 or 3) of an image.
package struct ImageGeometry: Hashable, Sendable {
    package var height: Int
    package var width: Int
    package var channels: Int

    package init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    // bounded: asked of images whose sides are at most 65,535 (`maximumSide`), with 3 channels at most.
    package var bytes: Int { height * width * channels }
    /// As users know it.
    package var shown: String { "\(width) x \(height)" }

    /// With its sides divided, rounded up.
    package func reduced(by divisor: Int) -> ImageGeometry {
        let divisor = max(1, divisor)
        // bounded: no more than the side.
        func divided(_ side: Int) -> Int { side / divisor + (side % divisor == 0 ? 0 : 1) }
        return ImageGeometry(height: divided(height), width: divided(width), channels: channels)
    }
}

/// Why an image could not be decoded.
package enum ImageFailure: Error, Hashable {
    case damaged(String)
    case unsupported(String)
    case transparent
    case tooLarge(ImageGeometry)
    /// What it would be scaled to.
    case scaledTooLarge(ImageGeometry)
    case otherSize(ImageGeometry)
    case colour
    case noMemory
}

/// What an image is beside its pixels.
package struct ImageTraits: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let cmyk = ImageTraits(rawValue: 1)
    package static let palette = ImageTraits(rawValue: 1 << 1)
    package static let wide = ImageTraits(rawValue: 1 << 2)
    package static let narrow = ImageTraits(rawValue: 1 << 3)
    package static let opaqueAlpha = ImageTraits(rawValue: 1 << 4)
    package static let transparent = ImageTraits(rawValue: 1 << 5)
    package static let grey = ImageTraits(rawValue: 1 << 6)
    /// Its orientation is another than upright.
    package static let turned = ImageTraits(rawValue: 1 << 7)
    /// Further images follow in the file.
    package static let first = ImageTraits(rawValue: 1 << 8)
    /// It was decoded at a half, a quarter or an eighth of its size.
    package static let reduced = ImageTraits(rawValue: 1 << 9)
}

extension ImageGeometry {
    /// As a C header gives it.
    // bounded: UInt32 fits.
    init(_ height: UInt32, _ width: UInt32, _ channels: UInt32) {
        self.init(height: Int(height), width: Int(width), channels: Int(channels))
    }

    /// As a C header takes it.
    var foreign: (height: UInt32, width: UInt32, channels: UInt32) {
        (UInt32(clamping: height), UInt32(clamping: width), UInt32(clamping: channels))
    }
}
