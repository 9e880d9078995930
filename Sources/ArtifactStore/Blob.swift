/// A finished, immutable file of the store, named by its content.
public struct Blob: Codable, Hashable, Sendable {
    /// 64 lower-case hexadecimal digits.
    public var sha256: String
    /// Bytes.
    public var size: Int

    public init(sha256: String, size: Int) {
        self.sha256 = sha256
        self.size = size
    }
}
