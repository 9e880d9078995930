/// The orientation that a camera wrote into an image (EXIF, tag 0x0112): 1 to 8, 1 for upright.
enum ImageOrientation {
    static let upright = 1

    private static let tag: UInt32 = 0x0112

    /// 1 where there is none, or none that is valid.
    static func read(_ bytes: UnsafeRawBufferPointer, format: ImageFormat) -> Int {
        let found =
            switch format {
            case .jpeg: exifOfJPEG(bytes)
            case .png: exifOfPNG(bytes)
            }
        return found.flatMap { orientation(UnsafeRawBufferPointer(rebasing: bytes[$0])) } ?? upright
    }

    /// The first APP1 segment of EXIF, without its mark.
    private static func exifOfJPEG(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
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

    /// The chunk eXIf.
    private static func exifOfPNG(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
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

    /// - Parameter exif: a TIFF header and its directories.
    private static func orientation(_ exif: UnsafeRawBufferPointer) -> Int? {
        guard exif.count >= 8, exif[0] == exif[1], exif[0] == 0x49 || exif[0] == 0x4D else { return nil }
        let isLittle = exif[0] == 0x49
        func number(at offset: Int, _ width: Int) -> Int? {
            guard offset >= 0, offset <= exif.count - width else { return nil }
            return (0..<width).reduce(0) { $0 << 8 | Int(exif[offset + (isLittle ? width - 1 - $1 : $1)]) }
        }
        guard number(at: 2, 2) == 42, let directory = number(at: 4, 4), let count = number(at: directory, 2)
        else {
            return nil
        }
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let found = number(at: entry, 2) else { return nil }
            guard found == tag else { continue }
            // BYTE, SHORT, LONG; the value lies in the entry.
            let width = [1: 1, 3: 2, 4: 4][number(at: entry + 2, 2) ?? 0]
            guard let width, number(at: entry + 4, 4) == 1, let value = number(at: entry + 8, width) else {
                return nil
            }
            return (1...8).contains(value) ? value : nil
        }
        return nil
    }

    /// Of the upright image.
    static func geometry(_ stored: ImageGeometry, _ orientation: Int) -> ImageGeometry {
        orientation >= 5
            ? ImageGeometry(height: stored.width, width: stored.height, channels: stored.channels) : stored
    }

    /// Turns an image as `PIL.ImageOps.exif_transpose` does.
    /// - Parameters:
    ///   - pixels: of an image of `stored`, H x W x C.
    ///   - target: has as many bytes.
    static func apply(
        _ orientation: Int, _ pixels: UnsafeRawBufferPointer, _ stored: ImageGeometry,
        into target: UnsafeMutableRawBufferPointer
    ) {
        let (height, width, channels) = (stored.height, stored.width, stored.channels)
        let result = geometry(stored, orientation)
        for y in 0..<result.height {
            for x in 0..<result.width {
                let (row, column) =
                    switch orientation {
                    case 2: (y, width - 1 - x)
                    case 3: (height - 1 - y, width - 1 - x)
                    case 4: (height - 1 - y, x)
                    case 5: (x, y)
                    case 6: (height - 1 - x, y)
                    case 7: (height - 1 - x, width - 1 - y)
                    case 8: (x, width - 1 - y)
                    default: (y, x)
                    }
                let source = (row * width + column) * channels
                let place = (y * result.width + x) * channels
                for channel in 0..<channels { target[place + channel] = pixels[source + channel] }
            }
        }
    }
}
