import CImages

/// JPEG through libjpeg-turbo.
enum JPEGCodec: ImageCodec, Sendable {
    static let name = "JPEG"
    static let extensions = ["jpg", "jpeg", "jpe", "jfif"]

    static let reductions = [1, 2, 4, 8]

    static func recognises(_ head: some Collection<UInt8>) -> Bool { head.starts(with: [0xff, 0xd8, 0xff]) }

    static func read(
        _ bytes: UnsafeRawBufferPointer, maximumSide: Int, into pixels: DecodedPixels?
    ) throws(ImageFailure) -> (geometry: ImageGeometry, traits: ImageTraits) {
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let side = UInt32(clamping: maximumSide)
        var image = cjpeg_image()
        let status: cjpeg_status
        if let pixels {
            (image.height, image.width, image.channels) = pixels.geometry.foreign
            image.reduction = UInt32(clamping: pixels.reduction)
            let target = pixels.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            status = cjpeg_decode(start, bytes.count, side, &image, target, pixels.bytes.count)
        } else {
            status = cjpeg_probe(start, bytes.count, side, &image)
        }
        let found = ImageGeometry(image.height, image.width, image.channels)
        switch status {
        case CJPEG_OK:
            let reduced: ImageTraits = (pixels?.reduction ?? 1) > 1 ? .reduced : []
            return (found, reduced.union(image.is_cmyk != 0 ? .cmyk : []))
        case CJPEG_DAMAGED: throw .damaged(text(image.message))
        case CJPEG_UNSUPPORTED: throw .unsupported(text(image.message))
        case CJPEG_TOO_LARGE: throw .tooLarge(found)
        case CJPEG_OTHER_SIZE: throw .otherSize(found)
        case CJPEG_COLOUR: throw .colour
        default: throw .noMemory
        }
    }

    /// The first APP1 segment of EXIF, without its mark.
    // bounded: places within `bytes`; lengths have two bytes.
    static func exif(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        let mark: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
        var place = 2
        while place + 4 <= bytes.count, bytes[place] == 0xFF {
            let marker = bytes[place + 1]
            if marker == 0xFF {
                place += 1
                continue
            }
            // Start of scan: what follows is compressed. End of image.
            if marker == 0xDA || marker == 0xD9 { return nil }
            // Without a length: restart marks and TEM.
            if (0xD0...0xD8).contains(marker) || marker == 0x01 {
                place += 2
                continue
            }
            let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
            let end = place + 2 + length
            guard length >= 2, end <= bytes.count else { return nil }
            let content = place + 4
            if marker == 0xE1, content + mark.count <= end,
                bytes[content..<content + mark.count].elementsEqual(mark)
            {
                return content + mark.count..<end
            }
            place = end
        }
        return nil
    }
}
