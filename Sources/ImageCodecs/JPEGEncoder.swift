import CImages
import Foundation
import Support

/// Encodes 8-bit images as JPEG, colours at full resolution: small images have little of them to spare.
public enum JPEGEncoder {
    /// - Parameters:
    ///   - pixels: H x W x C bytes, row after row.
    ///   - channels: 1 (grey) or 3 (RGB).
    ///   - quality: libjpeg's, 1 to 100.
    /// - Throws: `image-encoding-failed` when the pixels do not fill the image.
    public static func encode(
        _ pixels: UnsafeRawBufferPointer, height: Int, width: Int, channels: Int, quality: Int = 85
    ) throws -> Data {
        var image = cjpeg_image()
        image.height = UInt32(clamping: height)
        image.width = UInt32(clamping: width)
        image.channels = UInt32(clamping: channels)
        var bytes: UnsafeMutablePointer<UInt8>?
        var length = 0
        let status = cjpeg_encode(
            pixels.assumingMemoryBound(to: UInt8.self).baseAddress, pixels.count, &image,
            Int32(clamping: quality), &bytes, &length)
        guard status == CJPEG_OK, let bytes else {
            throw Problem(
                .internal, code: "image-encoding-failed", title: "An image could not be encoded",
                detail: "\(width) x \(height) pixels with \(channels) channels could not be written as JPEG.")
        }
        return Data(bytesNoCopy: bytes, count: length, deallocator: .free)
    }
}
