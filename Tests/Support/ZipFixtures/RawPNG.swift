/// A PNG file put together by hand (stored deflate blocks), so that decoding is checked against something
/// that libpng did not write, and so that broken and rare files can be made.
public struct RawPNG: Sendable {
    public var width: Int
    public var height: Int
    public var bitDepth: UInt8 = 8
    /// 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.
    public var colourType: UInt8
    /// The rows' bytes without filter bytes, all of one length.
    public var rows: [[UInt8]]
    public var palette: [UInt8]?
    public var transparency: [UInt8]?

    public init(
        width: Int, height: Int, bitDepth: UInt8 = 8, colourType: UInt8, rows: [[UInt8]],
        palette: [UInt8]? = nil, transparency: [UInt8]? = nil
    ) {
        self.width = width
        self.height = height
        self.bitDepth = bitDepth
        self.colourType = colourType
        self.rows = rows
        self.palette = palette
        self.transparency = transparency
    }

    public var bytes: [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        file += Self.chunk("IHDR", Self.word(width) + Self.word(height) + [bitDepth, colourType, 0, 0, 0])
        if let palette { file += Self.chunk("PLTE", palette) }
        if let transparency { file += Self.chunk("tRNS", transparency) }
        file += Self.chunk("IDAT", Self.zlib(rows.flatMap { [0] + $0 }))
        return file + Self.chunk("IEND", [])
    }

    public static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return word(data.count) + body + word(Int(crc(body)))
    }

    public static func word(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static func zlib(_ data: [UInt8]) -> [UInt8] {
        precondition(data.count < 65_536, "one stored block")
        let count = UInt16(data.count)
        var (a, b) = (UInt32(1), UInt32(0))
        for byte in data {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        let lengths = [count, ~count].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        return [0x78, 0x01, 0x01] + lengths + data + word(Int(b << 16 | a))
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
