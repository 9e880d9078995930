import ZipFixtures

/// PNG, JPEG, BMP, TIFF and GIF images whose chunks, segments and EXIF directories are sound but for their hostile numbers.
struct ImageGenerator {
    private var choices: Choices

    /// PNG: grey, of a palette, with an alpha channel; JPEG: grey, coloured, progressive; BMP: of a palette, of 24 bits, with
    /// masks; TIFF; GIF.
    static let kinds = 11

    /// - Returns: the image, and how it is to be decoded.
    static func image(_ input: Input) -> (bytes: [UInt8], choice: Int) {
        var generator = ImageGenerator(choices: Choices(input))
        let kind = generator.choices.below(kinds)
        let choice = generator.choices.below(16)
        let bytes =
            switch kind {
            case 0..<3: generator.png(kind)
            case 3..<6: generator.jpeg(kind)
            case 6..<9: generator.bmp(kind - 6)
            case 9: generator.tiff()
            default: generator.gif()
            }
        return (bytes, choice)
    }

    private init(choices: Choices) { self.choices = choices }

    private mutating func byte(_ usual: Int64) -> UInt8 { UInt8(truncatingIfNeeded: choices.number(usual)) }

    private mutating func short(_ usual: Int64) -> [UInt8] {
        bytes(UInt16(truncatingIfNeeded: choices.number(usual)).bigEndian)
    }

    // MARK: PNG

    private mutating func png(_ kind: Int) -> [UInt8] {
        let (type, channels): (UInt8, Int) = [(0, 1), (3, 1), (2, 3)][kind]
        let rows = (0..<4).map { row in (0..<4 * channels).map { _ in UInt8(row & 1) } }
        let usual = RawPNG(width: 4, height: 4, colourType: type, rows: rows).bytes
        let header =
            RawPNG.word(Int(choices.number(4))) + RawPNG.word(Int(choices.number(4)))
            + [byte(8), byte(Int64(type)), byte(0), byte(0), byte(0)]
        var file = Array(usual[..<8]) + chunk("IHDR", header)
        if choices.rarely() { file += chunk("eXIf", exif()) }
        if kind == 1 { file += chunk("PLTE", zeros(choices.number(6))) }
        if choices.rarely() { file += chunk("tRNS", zeros(choices.number([2, 2, 6][kind]))) }
        if choices.rarely(8) {
            let names = [
                "gAMA", "cHRM", "sBIT", "bKGD", "hIST", "pHYs", "sPLT", "zTXt", "iCCP", "acTL", "cICP",
            ]
            file += chunk(choices.one(of: names), zeros(choices.number([4, 32, 1, 6, 9][choices.below(5)])))
        }
        // What lies behind the header: the pixels and the end.
        var rest = Array(usual[33...])
        if choices.rarely(8) { rest.replaceSubrange(0..<4, with: RawPNG.word(Int(choices.number(71)))) }
        return file + rest
    }

    /// With the checksum of what it holds, whatever length it states.
    private mutating func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let sound = RawPNG.chunk(type, content)
        return RawPNG.word(Int(choices.number(Int64(content.count)))) + sound[4...]
    }

    private func zeros(_ count: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int(max(0, min(count, 1_024))))
    }

    // MARK: JPEG

    private mutating func jpeg(_ kind: Int) -> [UInt8] {
        let isGrey = kind == 3
        var file: [UInt8] = [0xFF, 0xD8]
        if choices.rarely() { file += segment(0xE1, Array("Exif".utf8) + [0, 0] + exif()) }
        file += segment(0xDB, [byte(0)] + [UInt8](repeating: 1, count: 64))
        let side: Int64 = isGrey ? 8 : 16
        let frame = [byte(8)] + short(side) + short(side) + [byte(isGrey ? 1 : 3)]
        let components = (0..<(isGrey ? 1 : 3)).flatMap {
            [UInt8($0 + 1), byte($0 == 0 && !isGrey ? 0x22 : 0x11), byte(0)]
        }
        file += segment(kind == 5 ? 0xC2 : 0xC0, frame + components)
        if choices.rarely() { file += segment(0xDD, short(1)) }
        // One code of one bit each: no difference, and the end of the block.
        for table: Int64 in [0, 0x10] {
            file += segment(0xC4, [byte(table), byte(1)] + [UInt8](repeating: 0, count: 15) + [byte(0)])
        }
        let scan = [byte(isGrey ? 1 : 3)] + (0..<(isGrey ? 1 : 3)).flatMap { [UInt8($0 + 1), byte(0)] }
        file += segment(0xDA, scan + [byte(0), byte(kind == 5 ? 0 : 63), byte(0)])
        return file + [0x00, 0x0F, 0xFF, 0xD9]
    }

    private mutating func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
        [0xFF, marker] + short(Int64(content.count + 2)) + content
    }

    // MARK: BMP, TIFF, GIF

    private mutating func little(_ usual: Int64, _ width: Int) -> [UInt8] {
        let number = choices.number(usual)
        return (0..<width).map { UInt8(truncatingIfNeeded: number >> Int64(8 * $0)) }
    }

    private mutating func bmp(_ kind: Int) -> [UInt8] {
        let bits = [8, 24, 32][kind]
        let masks = kind == 2 ? [0xff_0000, 0xff00, 0xff] as [Int64] : []
        let colours = kind == 0 ? 4 : 0
        let start = Int64(54 + 4 * masks.count + 4 * colours)
        var file = Array("BM".utf8) + little(0, 4) + [0, 0, 0, 0] + little(start, 4)
        file += [40, 0, 0, 0] + little(4, 4) + little(4, 4) + little(1, 2) + little(Int64(bits), 2)
        file += little(kind == 2 ? 3 : 0, 4) + little(0, 4) + little(0, 4) + little(0, 4)
        file += little(Int64(colours), 4) + little(0, 4)
        for mask in masks { file += little(mask, 4) }
        for colour in 0..<colours { file += [UInt8(colour), UInt8(2 * colour), 9, 0] }
        return file + (0..<4 * bits / 2).map { UInt8($0 & 3) }
    }

    private mutating func tiff() -> [UInt8] {
        let fields: [(tag: Int64, type: Int64, usual: Int64)] = [
            (256, 3, 4), (257, 3, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 200), (274, 3, 6),
            (277, 3, 1), (278, 3, 4), (279, 4, 16), (284, 3, 1),
        ]
        var file: [UInt8] = [0x49, 0x49, 42, 0] + little(8, 4) + little(Int64(fields.count), 2)
        for field in fields {
            file += little(field.tag, 2) + little(field.type, 2) + little(1, 4) + little(field.usual, 4)
        }
        file += little(0, 4)
        file += [UInt8](repeating: 0, count: max(0, 200 - file.count))
        return file + (0..<16).map { UInt8($0) }
    }

    private mutating func gif() -> [UInt8] {
        var file = Array("GIF89a".utf8) + little(4, 2) + little(4, 2) + [byte(0x80), byte(0), 0]
        file += [0, 0, 0, 200, 100, 50]
        if choices.rarely() { file += [0x21, 0xf9, byte(4), byte(1), 0, 0, byte(0), 0] }
        if choices.rarely() { file += [0x21, 0xfe, byte(2), 1, 2, 0] }
        file += [0x2c] + little(0, 2) + little(0, 2) + little(4, 2) + little(4, 2) + [byte(0), byte(2)]
        // Codes of three bits, lowest first: clear, two pixels, and so on, so that the codes stay short; then the end.
        var bits: [UInt8] = []
        for code in (0..<8).flatMap({ _ in [4, 0, 1] }) + [5] {
            bits += (0..<3).map { UInt8(code >> $0 & 1) }
        }
        let codes = stride(from: 0, to: bits.count, by: 8).map { place in
            bits[place..<min(place + 8, bits.count)].enumerated().reduce(UInt8(0)) {
                $0 | $1.element << UInt8($1.offset)
            }
        }
        return file + [byte(Int64(codes.count))] + codes + [byte(0), byte(0x3b)]
    }

    // MARK: EXIF

    /// A header and one directory, of which an entry is the orientation.
    private mutating func exif() -> [UInt8] {
        let isLittle = choices.rarely(2)
        func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            bytes(isLittle ? value : value.byteSwapped)
        }
        func long(_ usual: Int64) -> [UInt8] { number(UInt32(truncatingIfNeeded: choices.number(usual))) }
        func word(_ usual: Int64) -> [UInt8] { number(UInt16(truncatingIfNeeded: choices.number(usual))) }
        var file = isLittle ? [UInt8]([0x49, 0x49]) : [0x4D, 0x4D]
        file += word(42) + long(8) + word(2)
        for (tag, value) in [(0x0110, 0), (0x0112, 6)] as [(Int64, Int64)] {
            file += word(tag) + word(3) + long(1) + word(value) + [0, 0]
        }
        return file + long(0)
    }
}
