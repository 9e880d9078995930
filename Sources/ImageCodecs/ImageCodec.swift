/// One image format. A new one is a type that conforms, in a file of its own, and its line in `ImageFormat.codecs`.
///
/// Codecs read foreign bytes: what they hand to C is bounded, and every fault is an `ImageFailure`.
package protocol ImageCodec {
    /// As users know it.
    static var name: String { get }
    /// Of file names, in small letters, the usual one first.
    static var extensions: [String] { get }
    /// - Parameter head: the file's first `ImageFormat.headBytes`, or fewer.
    static func recognises(_ head: some Collection<UInt8>) -> Bool
    /// By what the sides can be divided while an image is decoded; 1 among them.
    static var reductions: [Int] { get }
    /// Whether Pillow turns an image by its orientation when it opens it.
    static var isLoadedUpright: Bool { get }
    /// Reads the header; decodes as well where there are `pixels`, whose geometry is what is expected.
    ///
    /// Given back is the file's own geometry: an image of one channel fills three where three are expected, and stays one.
    /// - Throws: `.tooLarge` beyond `maximumSide`, `.otherSize` and `.colour` where `pixels` expects something else,
    ///   `.transparent`, `.damaged` (sides of 0 among it) and `.unsupported` with a text that says what.
    static func read(
        _ bytes: UnsafeRawBufferPointer, maximumSide: Int, into pixels: DecodedPixels?
    ) throws(ImageFailure) -> (geometry: ImageGeometry, traits: ImageTraits)
    /// Where the EXIF data lie: a TIFF header and its directories.
    static func exif(_ bytes: UnsafeRawBufferPointer) -> Range<Int>?
}

extension ImageCodec {
    package static var reductions: [Int] { [1] }
    package static var isLoadedUpright: Bool { false }
    package static func exif(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? { nil }
}

/// Where a codec writes an image.
package struct DecodedPixels {
    /// Of the whole image.
    package let geometry: ImageGeometry
    /// One of the codec's `reductions`.
    package let reduction: Int
    /// As long as `geometry.reduced(by: reduction)` has bytes.
    package let bytes: UnsafeMutableRawBufferPointer
    /// Leaves an alpha channel out; else an image that is transparent somewhere is refused.
    package let dropsAlpha: Bool
}

/// The image formats that are decoded, told apart by content.
package struct ImageFormat: Hashable, Sendable {
    private static let codecs: [any (ImageCodec & Sendable).Type] = [
        PNGCodec.self,
        JPEGCodec.self,
        WebPCodec.self,
        BMPCodec.self,
        TIFFCodec.self,
        GIFCodec.self,
    ]

    /// All of them, such as `PNG, JPEG or GIF`.
    package static let names =
        codecs.dropLast().map { $0.name }.joined(separator: ", ")
        + (codecs.last.map { " or " + $0.name } ?? "")

    /// As many bytes as `init(head:)` looks at.
    package static let headBytes = 16

    private let place: Int
    private var codec: any ImageCodec.Type { Self.codecs[place] }

    package init?(head: some Collection<UInt8>) {
        guard let place = Self.codecs.firstIndex(where: { $0.recognises(head) }) else { return nil }
        self.place = place
    }

    /// Such as `PNG`.
    package var name: String { codec.name }

    /// By what the sides can be divided while an image is decoded; 1 among them.
    package var reductions: [Int] { codec.reductions }
    /// Whether Pillow turns an image by its orientation when it opens it.
    package var isLoadedUpright: Bool { codec.isLoadedUpright }

    /// Reads the header only.
    /// - Parameter maximumBytes: of the pixels, once decoded; an image of more is too large.
    package func geometry(
        of bytes: UnsafeRawBufferPointer, maximumSide: Int, maximumBytes: Int = .max
    ) throws(ImageFailure) -> ImageGeometry {
        let found = try codec.read(bytes, maximumSide: maximumSide, into: nil).geometry
        guard found.bytes <= maximumBytes else { throw .tooLarge(found) }
        return found
    }

    /// Decodes into `pixels`, which has `expected.reduced(by: reduction).bytes` bytes.
    @discardableResult
    package func decode(
        _ bytes: UnsafeRawBufferPointer, maximumSide: Int, dropsAlpha: Bool = false, reduction: Int = 1,
        expected: ImageGeometry, into pixels: UnsafeMutableRawBufferPointer
    ) throws(ImageFailure) -> ImageTraits {
        let target = DecodedPixels(
            geometry: expected, reduction: reductions.contains(reduction) ? reduction : 1, bytes: pixels,
            dropsAlpha: dropsAlpha)
        let (found, traits) = try codec.read(bytes, maximumSide: maximumSide, into: target)
        return found.channels < expected.channels ? traits.union(.grey) : traits
    }

    /// 1 to 8; 1 where none is written, or none that is valid.
    package func orientation(of bytes: UnsafeRawBufferPointer) -> Int {
        codec.exif(bytes).flatMap { ImageOrientation.read(exif: UnsafeRawBufferPointer(rebasing: bytes[$0])) }
            ?? ImageOrientation.upright
    }

    package static func == (one: ImageFormat, other: ImageFormat) -> Bool { one.place == other.place }
    package func hash(into hasher: inout Hasher) { hasher.combine(place) }
}

extension ImageFormat {
    /// Of formats that are not decoded.
    private static let foreignExtensions = [
        "ppm", "pgm", "pnm", "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "tga", "ico", "psd", "exr",
        "dds",
        "dng", "nef", "cr2", "cr3", "arw", "raf", "orf", "rw2",
    ]
    private static let extensions = Set(codecs.flatMap { $0.extensions } + foreignExtensions)

    /// Whether it is that of images, of a format that is decoded or not.
    package static func isImageExtension(_ name: String) -> Bool { extensions.contains(name.lowercased()) }

    /// Whether a name promises an image of a format that is not decoded.
    package static func isForeignName(_ name: String) -> Bool {
        foreignExtensions.contains { name.lowercased().hasSuffix("." + $0) }
    }

    /// Whether a name promises an image, of a format that is decoded or not.
    package static func isImageName(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return isImageExtension(String(name[name.index(after: dot)...]))
    }
}

/// The text of a C array of characters that ends with a zero.
func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
