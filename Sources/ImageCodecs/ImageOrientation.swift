// bounded in this file: numbers of four bytes, read where they lie within `exif`; places within an image in memory.

/// The orientation that a camera wrote into an image (EXIF, tag 0x0112): 1 to 8, 1 for upright.
package enum ImageOrientation {
    package static let upright = 1

    private static let tag: UInt32 = 0x0112

    /// Nil where there is none that is valid.
    /// - Parameter exif: a TIFF header and its directories.
    static func read(exif: UnsafeRawBufferPointer) -> Int? {
        guard exif.count >= 8, exif[0] == exif[1], exif[0] == 0x49 || exif[0] == 0x4D else { return nil }
        let isLittle = exif[0] == 0x49
        func number(at offset: Int, _ width: Int) -> Int? {
            guard offset >= 0, offset <= exif.count - width else { return nil }
            return (0..<width).reduce(0) { $0 << 8 | Int(exif[offset + (isLittle ? width - 1 - $1 : $1)]) }
        }
        // Files beyond 4 GiB (BigTIFF) have offsets and counts of eight bytes.
        let isBig = number(at: 2, 2) == 43 && number(at: 4, 2) == 8
        let wide = isBig ? 8 : 4
        guard isBig || number(at: 2, 2) == 42, let directory = number(at: isBig ? 8 : 4, wide),
            let count = number(at: directory, isBig ? 8 : 2), count >= 0
        else { return nil }
        for index in 0..<count {
            // No further than the file: `number` ends it.
            let entry = directory + (isBig ? 8 : 2) + (4 + 2 * wide) * index
            guard let found = number(at: entry, 2) else { return nil }
            guard found == tag else { continue }
            // BYTE, SHORT, LONG; the value lies in the entry.
            let width = [1: 1, 3: 2, 4: 4][number(at: entry + 2, 2) ?? 0]
            guard let width, number(at: entry + 4, wide) == 1,
                let value = number(at: entry + 4 + wide, width)
            else { return nil }
            return (1...8).contains(value) ? value : nil
        }
        return nil
    }

    /// Of the upright image.
    package static func geometry(_ stored: ImageGeometry, _ orientation: Int) -> ImageGeometry {
        orientation >= 5
            ? ImageGeometry(height: stored.width, width: stored.height, channels: stored.channels) : stored
    }

    /// Turns an image as `PIL.ImageOps.exif_transpose` does.
    /// - Parameters:
    ///   - pixels: of an image of `stored`, H x W x C.
    ///   - target: has as many bytes.
    package static func apply(
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
