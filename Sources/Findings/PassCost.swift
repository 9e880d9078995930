/// What one image takes to go through a model, as its probe measured it.
public struct PassCost: Codable, Hashable, Sendable {
    /// Of the probe's images, in pixels.
    public var height: Int
    public var width: Int
    /// Bytes that the model's layers make of one image.
    public var activationBytes: Int
    /// For each image of a small batch, on one thread.
    public var seconds: Double

    public init(height: Int, width: Int, activationBytes: Int, seconds: Double) {
        self.height = height
        self.width = width
        self.activationBytes = activationBytes
        self.seconds = seconds
    }

    enum CodingKeys: String, CodingKey {
        case height, width, seconds
        case activationBytes = "activation_bytes"
    }

    /// For images of another size, by their number of pixels; nil for numbers that no image or pass has.
    public func scaled(height: Int, width: Int) -> PassCost? {
        guard self.height > 0, self.width > 0, activationBytes >= 0, seconds >= 0, seconds.isFinite,
            height > 0,
            width > 0
        else { return nil }
        let ratio = Double(height) / Double(self.height) * (Double(width) / Double(self.width))
        guard let bytes = Int(exactly: (Double(activationBytes) * ratio).rounded(.up)) else { return nil }
        return PassCost(height: height, width: width, activationBytes: bytes, seconds: seconds * ratio)
    }
}
