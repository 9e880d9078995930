import CImages
import Findings
import Support

/// Height, width and channels (1 or 3) of an image.
struct ImageGeometry: Hashable {
    var height: Int
    var width: Int
    var channels: Int

    var bytes: Int { height * width * channels }
    /// As users know it.
    var shown: String { "\(width) x \(height)" }
}

/// The image formats that are decoded, told apart by content.
enum ImageFormat: String {
    case png = "PNG"
    case jpeg = "JPEG"

    /// As many bytes as `init(head:)` looks at.
    static let headBytes = 16

    private static let imageExtensions: Set<String> = [
        "png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm", "heic",
        "avif",
        "jxl", "jp2", "tga", "ico",
    ]

    init?(head: some Collection<UInt8>) {
        if head.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            self = .png
        } else if head.starts(with: [0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else {
            return nil
        }
    }

    /// Whether a name promises an image.
    static func isImageName(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return imageExtensions.contains(name[name.index(after: dot)...].lowercased())
    }
}

/// Why an image could not be decoded.
enum ImageFailure: Error, Hashable {
    case damaged(String)
    case unsupported(String)
    case transparent
    case tooLarge(ImageGeometry)
    case otherSize(ImageGeometry)
    case colour
    case noMemory
}

/// Decodes one image through the C shims.
enum ImageDecoder {
    /// Reads the header only.
    static func geometry(
        of bytes: UnsafeRawBufferPointer, format: ImageFormat, maximumSide: Int
    ) throws(ImageFailure) -> ImageGeometry {
        try run(bytes, format, maximumSide, alpha: .refuse, expected: nil, into: nil).geometry
    }

    /// Decodes into `pixels`, which has `expected.bytes` bytes.
    @discardableResult
    static func decode(
        _ bytes: UnsafeRawBufferPointer, format: ImageFormat, maximumSide: Int,
        alpha: ImportOptions.Alpha = .refuse, expected: ImageGeometry,
        into pixels: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) -> ImageTraits {
        let (found, traits) = try run(
            bytes, format, maximumSide, alpha: alpha, expected: expected, into: pixels)
        return found.channels < expected.channels ? traits.union(.grey) : traits
    }

    private static func run(
        _ bytes: UnsafeRawBufferPointer, _ format: ImageFormat, _ maximumSide: Int,
        alpha: ImportOptions.Alpha, expected: ImageGeometry?, into pixels: UnsafeMutableRawBufferPointer?
    ) throws(ImageFailure) -> (geometry: ImageGeometry, traits: ImageTraits) {
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let target = pixels?.assumingMemoryBound(to: UInt8.self).baseAddress
        let capacity = pixels?.count ?? 0
        let side = UInt32(clamping: maximumSide)
        switch format {
        case .png:
            var image = cpng_image()
            image.set(expected)
            image.drops_alpha = alpha == .drop ? 1 : 0
            let status =
                target == nil
                ? cpng_probe(start, bytes.count, side, &image)
                : cpng_decode(start, bytes.count, side, &image, target, capacity)
            let found = ImageGeometry(image.height, image.width, image.channels)
            switch status {
            case CPNG_OK: return (found, image.traits)
            case CPNG_TRANSPARENT: throw .transparent
            case CPNG_DAMAGED: throw .damaged(text(image.message))
            case CPNG_UNSUPPORTED: throw .unsupported(text(image.message))
            case CPNG_TOO_LARGE: throw .tooLarge(found)
            case CPNG_OTHER_SIZE: throw .otherSize(found)
            case CPNG_COLOUR: throw .colour
            default: throw .noMemory
            }
        case .jpeg:
            var image = cjpeg_image()
            image.set(expected)
            let status =
                target == nil
                ? cjpeg_probe(start, bytes.count, side, &image)
                : cjpeg_decode(start, bytes.count, side, &image, target, capacity)
            let found = ImageGeometry(image.height, image.width, image.channels)
            switch status {
            case CJPEG_OK: return (found, image.is_cmyk != 0 ? .cmyk : [])
            case CJPEG_DAMAGED: throw .damaged(text(image.message))
            case CJPEG_UNSUPPORTED: throw .unsupported(text(image.message))
            case CJPEG_TOO_LARGE: throw .tooLarge(found)
            case CJPEG_OTHER_SIZE: throw .otherSize(found)
            case CJPEG_COLOUR: throw .colour
            default: throw .noMemory
            }
        }
    }

    /// The text of a C array of characters that ends with a zero.
    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension ImageGeometry {
    fileprivate init(_ height: UInt32, _ width: UInt32, _ channels: UInt32) {
        self.init(height: Int(height), width: Int(width), channels: Int(channels))
    }
}

extension cpng_image {
    fileprivate var traits: ImageTraits {
        var traits: ImageTraits = []
        if has_palette != 0 { traits.insert(.palette) }
        if depth == 16 { traits.insert(.wide) }
        if depth < 8, has_palette == 0 { traits.insert(.narrow) }
        if has_alpha != 0 { traits.insert(is_transparent != 0 ? .transparent : .opaqueAlpha) }
        return traits
    }

    fileprivate mutating func set(_ geometry: ImageGeometry?) {
        guard let geometry else { return }
        (height, width, channels) = (
            UInt32(clamping: geometry.height), UInt32(clamping: geometry.width),
            UInt32(clamping: geometry.channels)
        )
    }
}

extension cjpeg_image {
    fileprivate mutating func set(_ geometry: ImageGeometry?) {
        guard let geometry else { return }
        (height, width, channels) = (
            UInt32(clamping: geometry.height), UInt32(clamping: geometry.width),
            UInt32(clamping: geometry.channels)
        )
    }
}
