import Support

/// BMP, by a strict reader of its own: grey, palettes, 16, 24 and 32 bits, without compression.
enum BMPCodec: ImageCodec, Sendable {
    static let name = "BMP"
    static let extensions = ["bmp", "dib"]

    /// The mark, and a length of the second header that exists.
    static func recognises(_ head: some Collection<UInt8>) -> Bool {
        let head = Array(head.prefix(16))
        return head.starts(with: "BM".utf8) && head.count == 16 && head[15] == 0
            && BMPHeader.lengths.contains(Int(widened: head[14]))
    }

    static func read(
        _ bytes: UnsafeRawBufferPointer, maximumSide: Int, into pixels: DecodedPixels?
    ) throws(ImageFailure) -> (geometry: ImageGeometry, traits: ImageTraits) {
        let header = try BMPHeader(bytes, maximumSide: maximumSide)
        var traits: ImageTraits = header.palette == nil ? [] : .palette
        if let pixels {
            let expected = pixels.geometry
            guard header.geometry.height == expected.height, header.geometry.width == expected.width else {
                throw .otherSize(header.geometry)
            }
            guard header.geometry.channels <= expected.channels else { throw .colour }
            guard pixels.bytes.count >= expected.bytes else { throw .noMemory }
            let isTransparent = try header.decode(bytes, into: pixels)
            if header.hasAlpha { traits.insert(isTransparent ? .transparent : .opaqueAlpha) }
        }
        return (header.geometry, traits)
    }
}
