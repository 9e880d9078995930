/// Why bytes were refused as JSON, and where.
public struct JSONFault: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// The bytes break the grammar (RFC 8259), or two members have one name.
        case malformed
        /// The document is over one of the `JSONLimits`.
        case overLimit
    }

    public var reason: Reason
    /// Without the place and without a full stop.
    public var detail: String
    /// The byte at which reading stopped, from 0.
    public var offset: Int
}

extension JSONFault: CustomStringConvertible {
    public var description: String { "\(detail), at byte \(offset)." }
}

/// Bounds on a document, checked while it is read.
public struct JSONLimits: Hashable, Sendable {
    /// Values within values.
    public var maximumDepth: Int
    public var maximumBytes: Int
    public var maximumValues: Int
    /// Whether NaN, Infinity and -Infinity are taken: Python writes them, RFC 8259 has none.
    public var allowsNonFinite: Bool

    public init(
        maximumDepth: Int = 32, maximumBytes: Int = 16 << 20, maximumValues: Int = 1_000_000,
        allowsNonFinite: Bool = false
    ) {
        self.maximumDepth = maximumDepth
        self.maximumBytes = maximumBytes
        self.maximumValues = maximumValues
        self.allowsNonFinite = allowsNonFinite
    }
}
