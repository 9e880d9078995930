import Support

/// What the headers of a BMP say, checked against its bytes.
struct BMPHeader {
    /// Those of OS/2, of Windows 3 and its extensions, of Windows 95 and 98.
    static let lengths: Set<Int> = [12, 40, 52, 56, 64, 108, 124]

    let geometry: ImageGeometry
    let bits: Int
    /// Red, green, blue, of indices; nil where samples are colours.
    let palette: [UInt8]?
    /// Where red, green, blue and alpha lie in a sample of 16 or 32 bits; empty for 24.
    private let masks: [UInt32]
    private let isTopDown: Bool
    /// Of the first row in the file, and from row to row.
    private let start: Int
    private let stride: Int

    var hasAlpha: Bool { masks.count == 4 && masks[3] != 0 }

    /// - Throws: `.damaged`, `.unsupported`, `.tooLarge`.
    init(_ bytes: UnsafeRawBufferPointer, maximumSide: Int) throws(ImageFailure) {
        let file = LittleEndianBytes(bytes)
        let length = try file.number(14, 4)
        guard Self.lengths.contains(length) else { throw .unsupported("its header has \(length) bytes") }
        let isOld = length == 12
        let width = try isOld ? file.number(18, 2) : file.signed(18)
        let rows = try isOld ? file.number(20, 2) : file.signed(22)
        bits = try file.number(isOld ? 24 : 28, 2)
        let compression = try isOld ? 0 : file.number(30, 4)
        guard [1, 4, 8, 16, 24, 32].contains(bits) else { throw .unsupported("a pixel has \(bits) bits") }
        guard compression == 0 || (compression == 3 || compression == 6) && (bits == 16 || bits == 32) else {
            throw .unsupported("it is compressed (\(compression)); only rows as they are can be read")
        }
        isTopDown = rows < 0
        // A height of -2^31 has a magnitude that fits: numbers have 64 bits here.
        let height = Int(rows.magnitude)
        guard width > 0, height > 0 else { throw .damaged("it has no pixels") }
        let tables = try BMPTables(
            file, length: length, bits: bits, compression: compression)
        (palette, masks) = (tables.palette, tables.masks)
        geometry = ImageGeometry(height: height, width: width, channels: tables.isGrey ? 1 : 3)
        guard height <= maximumSide, width <= maximumSide else { throw .tooLarge(geometry) }
        start = try file.number(10, 4)
        // Rows are padded to four bytes. // bounded: a side of at most `maximumSide`, times 32.
        stride = (width * bits + 31) / 32 * 4
        guard let size = Checked.product(stride, height), let end = Checked.sum(start, size),
            start >= 14 + length, end <= bytes.count
        else { throw .damaged("the file ends before its last row") }
    }

    /// - Returns: whether a pixel is transparent.
    // bounded: rows and pixels lie within the file, by `init`; those of the target within `pixels`, whose geometry is this one.
    func decode(_ bytes: UnsafeRawBufferPointer, into pixels: DecodedPixels) throws(ImageFailure) -> Bool {
        let channels = pixels.geometry.channels
        var isTransparent = false
        for y in 0..<geometry.height {
            let row = start + (isTopDown ? y : geometry.height - 1 - y) * stride
            for x in 0..<geometry.width {
                let (colour, isOpaque) = colour(bytes, row, x)
                if !isOpaque {
                    guard pixels.dropsAlpha else { throw .transparent }
                    isTransparent = true
                }
                let place = (y * geometry.width + x) * channels
                pixels.bytes[place] = colour.0
                if channels == 3 {
                    pixels.bytes[place + 1] = colour.1
                    pixels.bytes[place + 2] = colour.2
                }
            }
        }
        return isTransparent
    }

    // bounded: the pixel lies in its row, by `init`.
    private func colour(
        _ bytes: UnsafeRawBufferPointer, _ row: Int, _ x: Int
    ) -> (colour: (UInt8, UInt8, UInt8), isOpaque: Bool) {
        switch bits {
        case 24:
            let place = row + 3 * x
            return ((bytes[place + 2], bytes[place + 1], bytes[place]), true)
        case 16, 32:
            let width = bits / 8
            var sample: UInt32 = 0
            for index in 0..<width { sample |= UInt32(bytes[row + width * x + index]) << UInt32(8 * index) }
            let parts = masks.map { Self.part(sample, $0) }
            return ((parts[0], parts[1], parts[2]), !hasAlpha || parts[3] == 255)
        default:
            let bit = x * bits
            let shift = 8 - bits - bit % 8
            let largest = (1 << bits) - 1
            let index = (Int(bytes[row + bit / 8]) >> shift) & largest
            // Indices beyond the palette are black, as in Pillow.
            guard let palette, 3 * index + 2 < palette.count else { return ((0, 0, 0), true) }
            return ((palette[3 * index], palette[3 * index + 1], palette[3 * index + 2]), true)
        }
    }

    /// The bits under a mask, spread over 0 to 255 and cut, as Pillow does.
    // bounded: of 32 bits.
    private static func part(_ sample: UInt32, _ mask: UInt32) -> UInt8 {
        guard mask != 0 else { return 0 }
        let shift = UInt32(mask.trailingZeroBitCount)
        let largest = UInt64(mask >> shift)
        let value = UInt64((sample & mask) >> shift)
        return UInt8(clamping: value * 255 / largest)
    }
}

/// The colours of a BMP: a palette, or masks.
private struct BMPTables {
    var palette: [UInt8]?
    var masks: [UInt32] = []
    var isGrey = false

    // bounded: at most 256 colours of 3 or 4 bytes, each read where it lies.
    init(_ file: LittleEndianBytes, length: Int, bits: Int, compression: Int) throws(ImageFailure) {
        if bits > 8 {
            try readMasks(file, length: length, bits: bits, compression: compression)
            return
        }
        let entry = length == 12 ? 3 : 4
        let stated = try length == 12 ? 0 : file.number(46, 4)
        let count = stated == 0 ? 1 << bits : min(stated, 1 << bits)
        var colours: [UInt8] = []
        for index in 0..<count {
            let place = 14 + length + entry * index
            colours += try [
                file.byte(place + 2), file.byte(place + 1), file.byte(place),
            ]
        }
        isGrey = stride(from: 0, to: colours.count, by: 3).allSatisfy { place in
            let red = colours[place]
            return colours[place + 1] == red && colours[place + 2] == red
        }
        palette = colours
    }

    private mutating func readMasks(
        _ file: LittleEndianBytes, length: Int, bits: Int, compression: Int
    ) throws(ImageFailure) {
        guard bits != 24 else { return }
        guard compression != 0 else {
            masks = bits == 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff_0000, 0xff00, 0xff]
            return
        }
        // In the header, or behind one of 40 bytes; the alpha channel's only where the header has room for it.
        let count = length >= 56 || compression == 6 ? 4 : 3
        // bounded: 3 or 4.
        for index in 0..<count { masks.append(UInt32(clamping: try file.number(54 + 4 * index, 4))) }
        guard masks.prefix(3).allSatisfy({ $0 != 0 }) else { throw .damaged("a colour has no bits") }
    }
}

/// Numbers of a file, lowest byte first.
private struct LittleEndianBytes {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    func byte(_ place: Int) throws(ImageFailure) -> UInt8 {
        guard place >= 0, place < bytes.count else { throw .damaged("the file ends too early") }
        return bytes[place]
    }

    // bounded: at most four bytes.
    func number(_ place: Int, _ width: Int) throws(ImageFailure) -> Int {
        var result = 0
        for index in 0..<width { result |= try Int(byte(place + index)) << (8 * index) }
        return result
    }

    func signed(_ place: Int) throws(ImageFailure) -> Int {
        Int(widened: Int32(truncatingIfNeeded: try number(place, 4)))
    }
}
