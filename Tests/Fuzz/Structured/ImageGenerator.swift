import ZipFixtures

/// PNG and JPEG images whose chunks, segments and EXIF directories are sound but for their hostile numbers.
struct ImageGenerator {
    private var choices: Choices

    /// PNG: grey, of a palette, with an alpha channel; JPEG: grey, coloured, progressive.
    static let kinds = 6

    /// - Returns: the image, and how it is to be decoded.
    static func image(_ input: Input) -> (bytes: [UInt8], choice: Int) {
        var generator = ImageGenerator(choices: Choices(input))
        let kind = generator.choices.below(kinds)
        let choice = generator.choices.below(4)
        return (kind < 3 ? generator.png(kind) : generator.jpeg(kind), choice)
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
