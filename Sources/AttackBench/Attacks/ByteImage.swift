/// An image as it is stored: H x W x C bytes, row after row.
public struct ByteImage: Hashable, Sendable {
    public let height: Int
    public let width: Int
    /// 1 (grey) or 3 (RGB).
    public let channels: Int
    public var pixels: [UInt8]

    public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
        precondition(height > 0 && width > 0 && channels > 0, "an image has pixels")
        precondition(pixels.count == height * width * channels, "the pixels fill the image")
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
    }

    /// Replaces every byte by what `change` makes of it, clipped to 0...255 and rounded half to even.
    func mapped(_ change: (_ y: Int, _ x: Int, _ channel: Int, _ value: Double) -> Double) -> ByteImage {
        var result = self
        var offset = 0
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels {
                    let value = change(y, x, channel, Double(pixels[offset]))
                    result.pixels[offset] = Self.byte(value)
                    offset += 1
                }
            }
        }
        return result
    }
}
