/// An image format that is known and not decoded.
package struct ForeignImageFormat: Sendable {
    /// With its article, such as `an AVIF image`.
    package let name: String
    /// How to make an image of it that is read.
    package let fix: String

    /// Nil for what is none of them.
    package init?(head: some Collection<UInt8>) {
        let head = Array(head.prefix(16))
        if let name = Self.brand(head) {
            self.name = name
            fix = "Convert it with libheif's program: heif-convert -q 95 FILE FILE.jpg"
            return
        }
        guard let known = Self.marks.first(where: { head.starts(with: $0.mark) }) else { return nil }
        name = known.name
        fix = "Convert it with ImageMagick: magick FILE FILE.png"
    }

    /// ISO's media files say their kind behind `ftyp`.
    private static func brand(_ head: [UInt8]) -> String? {
        guard head.dropFirst(4).starts(with: "ftyp".utf8) else { return nil }
        switch String(decoding: head.dropFirst(8).prefix(4), as: UTF8.self) {
        case "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1": return "a HEIC image"
        case "avif", "avis": return "an AVIF image"
        default: return nil
        }
    }

    private static let marks: [(mark: [UInt8], name: String)] = [
        ([0xff, 0x0a], "a JPEG XL image"), ([0, 0, 0, 0x0c, 0x4a, 0x58, 0x4c, 0x20], "a JPEG XL image"),
        ([0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20], "a JPEG 2000 image"),
        ([0xff, 0x4f, 0xff, 0x51], "a JPEG 2000 image"), (Array("8BPS".utf8), "a Photoshop document"),
        ([0x76, 0x2f, 0x31, 0x01], "an OpenEXR image"), (Array("DDS ".utf8), "a DDS texture"),
        ([0, 0, 1, 0], "an icon"), (Array("P5".utf8), "a PGM image"), (Array("P6".utf8), "a PPM image"),
        (Array("P2".utf8), "a PGM image"), (Array("P3".utf8), "a PPM image"),
        (Array("FUJIFILM".utf8), "a camera's raw file"),
    ]
}
