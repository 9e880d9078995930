import CImages

/// PNG through libpng.
enum PNGCodec: ImageCodec, Sendable {
    static let name = "PNG"
    static let extensions = ["png"]

    static func recognises(_ head: some Collection<UInt8>) -> Bool {
        head.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    }

    static func read(
        _ bytes: UnsafeRawBufferPointer, maximumSide: Int, into pixels: DecodedPixels?
    ) throws(ImageFailure) -> (geometry: ImageGeometry, traits: ImageTraits) {
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let side = UInt32(clamping: maximumSide)
        var image = cpng_image()
        let status: cpng_status
        if let pixels {
            (image.height, image.width, image.channels) = pixels.geometry.foreign
            image.drops_alpha = pixels.dropsAlpha ? 1 : 0
            let target = pixels.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            status = cpng_decode(start, bytes.count, side, &image, target, pixels.bytes.count)
        } else {
            status = cpng_probe(start, bytes.count, side, &image)
        }
        let found = ImageGeometry(image.height, image.width, image.channels)
        switch status {
        case CPNG_OK: return (found, image.traits)
        case CPNG_TRANSPARENT: throw .transparent
        case CPNG_DAMAGED: throw .damaged(text(image.message))
        case CPNG_UNSUPPORTED: throw .unsupported(text(image.message))
        case CPNG_TOO_LARGE: throw .tooLarge(found)
        case CPNG_OTHER_SIZE: throw .otherSize(found)
        case CPNG_COLOUR: throw .colour
        default: throw .noMemory
        }
    }

    /// The chunk eXIf.
    // bounded: places within `bytes`; a chunk's length has four bytes and is compared with what is left.
    static func exif(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        var place = 8
        while place + 12 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
            guard length <= bytes.count - place - 12 else { return nil }
            if bytes[place + 4..<place + 8].elementsEqual("eXIf".utf8) {
                return place + 8..<place + 8 + length
            }
            place += 12 + length
        }
        return nil
    }
}

extension cpng_image {
    fileprivate var traits: ImageTraits {
        var traits: ImageTraits = []
        if has_palette != 0 { traits.insert(.palette) }
        if depth == 16 { traits.insert(.wide) }
        if depth < 8, has_palette == 0 { traits.insert(.narrow) }
        if has_alpha != 0 { traits.insert(is_transparent != 0 ? .transparent : .opaqueAlpha) }
        return traits
    }
}
