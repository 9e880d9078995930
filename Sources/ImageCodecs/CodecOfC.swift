import CImages

/// A codec in C with the interface of `CImage.h`.
protocol CodecOfC: ImageCodec {
    typealias Reader =
        @Sendable (
            UnsafePointer<UInt8>?, Int, UInt32, UnsafeMutablePointer<cimage>?, UnsafeMutablePointer<UInt8>?,
            Int
        ) -> cimage_status

    static var reader: Reader { get }
}

extension CodecOfC {
    static func read(
        _ bytes: UnsafeRawBufferPointer, maximumSide: Int, into pixels: DecodedPixels?
    ) throws(ImageFailure) -> (geometry: ImageGeometry, traits: ImageTraits) {
        var image = cimage()
        if let pixels {
            (image.height, image.width, image.channels) = pixels.geometry.foreign
            image.drops_alpha = pixels.dropsAlpha ? 1 : 0
        }
        let status = reader(
            bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, UInt32(clamping: maximumSide),
            &image, pixels?.bytes.assumingMemoryBound(to: UInt8.self).baseAddress, pixels?.bytes.count ?? 0)
        let found = ImageGeometry(image.height, image.width, image.channels)
        switch status {
        case CIMAGE_OK: return (found, image.traits)
        case CIMAGE_TRANSPARENT: throw .transparent
        case CIMAGE_DAMAGED: throw .damaged(text(image.message))
        case CIMAGE_UNSUPPORTED: throw .unsupported(text(image.message))
        case CIMAGE_TOO_LARGE: throw .tooLarge(found)
        case CIMAGE_OTHER_SIZE: throw .otherSize(found)
        case CIMAGE_COLOUR: throw .colour
        default: throw .noMemory
        }
    }
}

extension cimage {
    fileprivate var traits: ImageTraits {
        var traits: ImageTraits = []
        if has_palette != 0 { traits.insert(.palette) }
        if is_cmyk != 0 { traits.insert(.cmyk) }
        if depth == 16 { traits.insert(.wide) }
        if depth < 8, has_palette == 0 { traits.insert(.narrow) }
        if has_alpha != 0 { traits.insert(is_transparent != 0 ? .transparent : .opaqueAlpha) }
        if has_more != 0 { traits.insert(.first) }
        return traits
    }
}
