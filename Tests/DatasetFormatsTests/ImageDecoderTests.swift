import Foundation
import Testing
import ZipFixtures

@testable import DatasetFormats
@testable import ImageCodecs

@Suite struct ImageDecoderTests {
    /// Decodes with the geometry that the header gives, or with another number of channels.
    static func decode(
        _ bytes: [UInt8], channels: Int? = nil, maximumSide: Int = 64
    ) throws(ImageFailure) -> (ImageGeometry, [UInt8]) {
        guard let format = ImageFormat(head: bytes.prefix(ImageFormat.headBytes)) else {
            throw .unsupported("neither PNG nor JPEG")
        }
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(ImageFailure) in
                var geometry = try format.geometry(of: buffer, maximumSide: maximumSide)
                if let channels { geometry.channels = channels }
                let pixels = UnsafeMutableRawBufferPointer.allocate(byteCount: geometry.bytes, alignment: 1)
                defer { pixels.deallocate() }
                try format.decode(
                    buffer, maximumSide: maximumSide, expected: geometry, into: pixels)
                return (geometry, Array(pixels))
            }
        }
        return try result.get()
    }

    /// Why the bytes cannot be decoded; nil when they can.
    static func failure(_ bytes: [UInt8], channels: Int? = nil) -> ImageFailure? {
        do {
            _ = try decode(bytes, channels: channels)
            return nil
        } catch {
            return error
        }
    }

    static let rgb = RawPNG(
        width: 2, height: 2, colourType: 2, rows: [[1, 2, 3, 250, 251, 252], [0, 255, 0, 9, 8, 7]])

    @Test func rgbPixelsAreExact() throws {
        let (geometry, pixels) = try Self.decode(Self.rgb.bytes)
        #expect(geometry == ImageGeometry(height: 2, width: 2, channels: 3))
        #expect(pixels == [1, 2, 3, 250, 251, 252, 0, 255, 0, 9, 8, 7])
    }

    @Test func greyStaysGreyOrIsWidened() throws {
        let png = RawPNG(width: 3, height: 1, colourType: 0, rows: [[0, 100, 255]]).bytes
        #expect(try Self.decode(png).1 == [0, 100, 255])
        #expect(try Self.decode(png, channels: 3).1 == [0, 0, 0, 100, 100, 100, 255, 255, 255])
    }

    @Test func oneBitGreyIsExpanded() throws {
        let png = RawPNG(width: 8, height: 1, bitDepth: 1, colourType: 0, rows: [[0b1010_0001]]).bytes
        #expect(try Self.decode(png).1 == [255, 0, 255, 0, 0, 0, 0, 255])
    }

    @Test func paletteIsExpanded() throws {
        let png = RawPNG(
            width: 4, height: 1, bitDepth: 2, colourType: 3, rows: [[0b00_01_10_01]],
            palette: [1, 2, 3, 40, 50, 60, 7, 8, 9])
        #expect(try Self.decode(png.bytes).1 == [1, 2, 3, 40, 50, 60, 7, 8, 9, 40, 50, 60])
    }

    @Test func opaqueAlphaIsDropped() throws {
        let rgba = RawPNG(width: 2, height: 1, colourType: 6, rows: [[1, 2, 3, 255, 4, 5, 6, 255]])
        #expect(try Self.decode(rgba.bytes).1 == [1, 2, 3, 4, 5, 6])
        let greyAlpha = RawPNG(width: 2, height: 1, colourType: 4, rows: [[9, 255, 8, 255]])
        #expect(try Self.decode(greyAlpha.bytes).1 == [9, 8])
        #expect(try Self.decode(greyAlpha.bytes, channels: 3).1 == [9, 9, 9, 8, 8, 8])
    }

    @Test func transparentPixelsAreRefused() {
        let rgba = RawPNG(width: 2, height: 1, colourType: 6, rows: [[1, 2, 3, 255, 4, 5, 6, 254]])
        let keyed = RawPNG(
            width: 1, height: 1, colourType: 2, rows: [[1, 2, 3]], transparency: [0, 1, 0, 2, 0, 3])
        for png in [rgba, keyed] {
            #expect(Self.failure(png.bytes) == .transparent)
        }
    }

    @Test func sixteenBitsAreRoundedToEight() throws {
        let png = RawPNG(
            width: 3, height: 1, bitDepth: 16, colourType: 0, rows: [[1, 2, 127, 255, 255, 255]])
        #expect(try Self.decode(png.bytes).1 == [1, 127, 255])
    }

    @Test func colourWhereGreyIsExpectedIsSaid() {
        #expect(Self.failure(Self.rgb.bytes, channels: 1) == .colour)
        #expect(Self.failure(SampleJPEG.colour, channels: 1) == .colour)
    }

    /// The header of a 60,000 x 60,000 image must not make anyone allocate 10 GB.
    @Test func giantHeadersAreRefusedBeforeAllocation() {
        var giant = Self.rgb
        giant.width = 60_000
        giant.height = 60_000
        let found = ImageGeometry(height: 60_000, width: 60_000, channels: 3)
        #expect(Self.failure(giant.bytes) == .tooLarge(found))
    }

    @Test func jpegPixelsAreLibjpegs() throws {
        for bytes in [SampleJPEG.colour, SampleJPEG.progressive] {
            let (geometry, pixels) = try Self.decode(bytes)
            #expect(geometry == ImageGeometry(height: 8, width: 8, channels: 3))
            #expect(pixels == SampleJPEG.colourPixels)
        }
        #expect(try Self.decode(SampleJPEG.grey).1 == SampleJPEG.greyPixels)
        let wide = SampleJPEG.greyPixels.flatMap { [$0, $0, $0] }
        #expect(try Self.decode(SampleJPEG.grey, channels: 3).1 == wide)
    }

    @Test func cmykGivesThreeChannels() throws {
        #expect(try Self.decode(SampleJPEG.cmyk).0.channels == 3)
        #expect(Self.failure(SampleJPEG.cmyk, channels: 1) == .colour)
    }

    /// Every prefix of a file fails with a message; none is taken for whole.
    @Test(arguments: [rgb.bytes, SampleJPEG.colour, SampleJPEG.progressive])
    func truncatedFilesAreDamaged(whole: [UInt8]) {
        // The last two bytes of a JPEG are its end marker; the decoder needs to see it.
        for length in stride(from: 16, to: whole.count - 2, by: 3) {
            #expect(Self.failure(Array(whole[..<length])) != nil)
        }
    }

    /// Whatever the bytes: an image of the promised size or an error, and no crash.
    @Test(arguments: [rgb.bytes, SampleJPEG.colour, SampleJPEG.progressive, SampleJPEG.grey])
    func mutatedFilesNeverCrash(whole: [UInt8]) {
        var random = Generator(state: 42)
        var refused = 0
        for _ in 0..<1_500 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 8..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do {
                let (geometry, pixels) = try Self.decode(bytes)
                #expect(pixels.count == geometry.bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    /// Files that Pillow wrote: the seeds of fuzzing, whose first byte is a choice of the harness.
    private static func samples(_ format: String) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).appending(path: "../../Fuzz/Corpus/image").standardized.path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { $0.hasPrefix("seed-" + format) }
            .map { Array(try Data(contentsOf: URL(filePath: folder + "/" + $0)).dropFirst()) }
    }

    /// Cut to its header, an image is refused with a reason; with bytes changed it has the promised size, or is refused.
    @Test(arguments: ["webp", "bmp", "tiff", "gif"])
    func hostileFilesOfOtherFormats(format: String) throws {
        let samples = try Self.samples(format)
        #expect(samples.count >= 4)
        var random = Generator(state: 7)
        for whole in samples {
            #expect([nil, .transparent].contains(Self.failure(whole)))
            let cut = Self.failure(Array(whole.prefix(24)))
            #expect(cut != nil && cut != .noMemory)
            for _ in 0..<200 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
                do {
                    let (geometry, pixels) = try Self.decode(bytes, channels: 3)
                    #expect(pixels.count == geometry.bytes)
                } catch {
                    #expect(error != .noMemory)
                }
            }
        }
    }

    /// A header that states an image of many gigabytes is refused before anything is allocated for it.
    @Test(arguments: ["bmp", "gif", "tiff"])
    func giantsOfOtherFormats(format: String) throws {
        var bytes = try #require(try Self.samples(format).first)
        switch format {
        case "bmp": bytes.replaceSubrange(18..<22, with: [0xff, 0xff, 0xff, 0x7f])
        case "gif": bytes.replaceSubrange(6..<8, with: [0xff, 0xff])
        default:
            // The first entry of the first directory is the width.
            let directory = Int(bytes[4]) | Int(bytes[5]) << 8
            bytes.replaceSubrange(directory + 10..<directory + 12, with: [0xff, 0xff])
        }
        guard case .tooLarge? = Self.failure(bytes) else {
            Issue.record("\(format): \(String(describing: Self.failure(bytes)))")
            return
        }
    }

    /// Files of either kind and byte order say their orientation in the first directory, behind other entries.
    @Test(arguments: [false, true], [false, true]) func orientationsOfTIFF(isBig: Bool, isLittle: Bool) {
        func number(_ value: Int, _ width: Int) -> [UInt8] {
            let bytes = (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            return isLittle ? bytes : bytes.reversed()
        }
        let wide = isBig ? 8 : 4
        func entry(_ tag: Int, _ value: Int) -> [UInt8] {
            number(tag, 2) + number(3, 2) + number(1, wide) + number(value, 2)
                + [UInt8](repeating: 0, count: wide - 2)
        }
        let order: [UInt8] = isLittle ? [0x49, 0x49] : [0x4D, 0x4D]
        let head =
            isBig
            ? order + number(43, 2) + number(8, 2) + number(0, 2) + number(16, 8)
            : order + number(42, 2) + number(8, 4)
        let file = head + number(2, isBig ? 8 : 2) + entry(0x0100, 9) + entry(0x0112, 6)
        #expect(file.withUnsafeBytes { ImageOrientation.read(exif: $0) } == 6)
        for length in 0..<file.count - wide {
            #expect(file.prefix(length).withUnsafeBytes { ImageOrientation.read(exif: $0) } == nil)
        }
        // Places and counts beyond all bounds.
        let far = order + number(43, 2) + number(8, 2) + number(0, 2) + number(-1, 8)
        #expect((far + head).withUnsafeBytes { ImageOrientation.read(exif: $0) } == nil)
        let many = head + number(-1, isBig ? 8 : 2) + entry(0x0100, 9)
        #expect(many.withUnsafeBytes { ImageOrientation.read(exif: $0) } == nil)
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test func encodedPixelsComeBack() throws {
        for channels in [1, 3] {
            let pixels = (0..<20 * 10 * channels).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let png = try PNGEncoder.encode(pixels, height: 20, width: 10, channels: channels)
            let (geometry, decoded) = try Self.decode(Array(png))
            #expect(geometry == ImageGeometry(height: 20, width: 10, channels: channels))
            #expect(decoded == pixels)
        }
    }
}
