import CImages

/// WebP through libwebp: the first image of an animation.
enum WebPCodec: CodecOfC, Sendable {
    static let name = "WebP"
    static let extensions = ["webp"]
    static let reader: Reader = { cwebp_read($0, $1, $2, $3, $4, $5) }

    /// A RIFF file of this kind.
    static func recognises(_ head: some Collection<UInt8>) -> Bool {
        head.starts(with: "RIFF".utf8) && head.dropFirst(8).starts(with: "WEBP".utf8)
    }

    /// The chunk EXIF, with or without the mark that JPEG has before it.
    // bounded: places within `bytes`; a chunk's length has four bytes and is compared with what is left.
    static func exif(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        let mark: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
        var place = 12
        while place + 8 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[place + 4 + $1]) << (8 * $1) }
            guard length <= bytes.count - place - 8 else { return nil }
            let content = place + 8
            if bytes[place..<place + 4].elementsEqual("EXIF".utf8) {
                let isMarked = bytes[content..<content + length].starts(with: mark)
                return content + (isMarked ? mark.count : 0)..<content + length
            }
            // Chunks are padded to an even length.
            place = content + length + length % 2
        }
        return nil
    }
}
