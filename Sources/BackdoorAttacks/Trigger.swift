/// What an attacker does to an image: a pure function, the same for every attack of this module.
public struct Trigger: Sendable {
    /// Such as `badnets`.
    public let name: String
    private let stamp: @Sendable (ByteImage) -> ByteImage

    public init(name: String, stamp: @escaping @Sendable (ByteImage) -> ByteImage) {
        self.name = name
        self.stamp = stamp
    }

    /// The image with the trigger, of the same shape.
    public func callAsFunction(_ image: ByteImage) -> ByteImage { stamp(image) }
}
