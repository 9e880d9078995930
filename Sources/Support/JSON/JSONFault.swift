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
    /// Bytes that the values take beside the texts in them: 48 for each item of an array, 80 for each member of an
    /// object, 32 for each of both.
    public var maximumMemory: Int
    /// Whether NaN, Infinity and -Infinity are taken: Python writes them, RFC 8259 has none.
    public var allowsNonFinite: Bool

    /// Lists grow by doubling: an item takes twice its own bytes at the most, and a container has a head.
    static let itemMemory = 2 * MemoryLayout<JSONValue>.stride
    static let memberMemory = 2 * MemoryLayout<JSONValue.Member>.stride
    /// A name in the set that finds a second one, in objects of more than eight members.
    static let nameMemory = 64
    static let containerMemory = 32

    public init(
        maximumDepth: Int = 32, maximumBytes: Int = 16 << 20, maximumValues: Int = 1_000_000,
        maximumMemory: Int = 128 << 20, allowsNonFinite: Bool = false
    ) {
        self.maximumDepth = maximumDepth
        self.maximumBytes = maximumBytes
        self.maximumValues = maximumValues
        self.maximumMemory = maximumMemory
        self.allowsNonFinite = allowsNonFinite
    }
}
