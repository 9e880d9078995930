import CImages
import Foundation
import Support

/// Encodes 8-bit images as PNG.
public enum PNGEncoder {
    /// - Parameters:
    ///   - pixels: H x W x C bytes, row after row.
    ///   - channels: 1 (grey) or 3 (RGB).
    ///   - level: zlib's compression level, 0 to 9.
    /// - Throws: `image-encoding-failed` when the pixels do not fill the image.
    public static func encode(
        _ pixels: some ContiguousBytes, height: Int, width: Int, channels: Int, level: Int = 6
    ) throws -> Data {
        var image = cpng_image()
        image.height = UInt32(clamping: height)
        image.width = UInt32(clamping: width)
        image.channels = UInt32(clamping: channels)
        var bytes: UnsafeMutablePointer<UInt8>?
        var length = 0
        let status = pixels.withUnsafeBytes { buffer in
            cpng_encode(
                buffer.assumingMemoryBound(to: UInt8.self).baseAddress, buffer.count, &image,
                Int32(clamping: level), &bytes, &length)
        }
        guard status == CPNG_OK, let bytes else {
            throw Problem(
                .internal, code: "image-encoding-failed", title: "An image could not be encoded",
                detail: "\(width) x \(height) pixels with \(channels) channels could not be written as PNG.")
        }
        return Data(bytesNoCopy: bytes, count: length, deallocator: .free)
    }
}
