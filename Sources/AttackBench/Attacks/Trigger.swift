import Support

/// What an attacker does to an image: a pure function, the same for every attack of this module.
public struct Trigger: Sendable {
    /// Such as `badnets`.
    public let name: String
    private let stamp: @Sendable (ByteImage, inout SplitMix64) -> ByteImage

    /// A trigger that depends on the image alone.
    public init(name: String, stamp: @escaping @Sendable (ByteImage) -> ByteImage) {
        self.init(name: name) { image, _ in stamp(image) }
    }

    /// A trigger with a random part of its own in every sample.
    public init(name: String, stamp: @escaping @Sendable (ByteImage, inout SplitMix64) -> ByteImage) {
        self.name = name
        self.stamp = stamp
    }

    /// The image with the trigger, of the same shape.
    /// - Parameter seed: of the sample's random part, where the trigger has one.
    public func callAsFunction(_ image: ByteImage, seed: UInt64 = 0) -> ByteImage {
        var random = SplitMix64(seed: seed)
        return stamp(image, &random)
    }
}
