import Support

/// What a pickle holds, as data. Containers are nodes of an arena and values refer to them by number:
/// a hostile pickle can neither nest so deep nor share so much that reading, walking or freeing it fails.
public struct PickleDocument: Sendable {
    /// A value; `list`, `tuple`, `dict`, `tensor`, `array` and `storage` index the document's tables.
    public enum Value: Hashable, Sendable {
        case none
        case bool(Bool)
        case int(Int64)
        case double(Double)
        case string(String)
        /// A range of the pickle's bytes.
        case bytes(Range<Int>)
        /// Bytes that were written as text (protocol 2), by number in `decoded`.
        case decodedBytes(Int)
        case list(Int)
        case tuple(Int)
        case dict(Int)
        case tensor(Int)
        case array(Int)
        case storage(Int)
        /// A name that has meaning for what follows only, such as a storage's type.
        case global(String)
        /// A NumPy element type, such as `|u1`.
        case elementType(String)
    }

    /// Bytes that lie outside the pickle, in the archive entry `data/KEY`.
    public struct Storage: Hashable, Sendable {
        public var key: String
        public var type: ScalarType
        /// Elements.
        public var count: Int
    }

    /// A view of a storage, as PyTorch writes its tensors.
    public struct Tensor: Hashable, Sendable {
        public var storage: Storage
        /// In elements.
        public var offset: Int
        public var shape: [Int]
        /// In elements.
        public var strides: [Int]
    }

    /// A NumPy array whose bytes are in the pickle, row-major.
    public struct Array: Hashable, Sendable {
        /// Such as `|u1` or `<i8`.
        public var type: String
        public var shape: [Int]
        public var isFortranOrder: Bool
        public var content: Value
    }

    public internal(set) var root: Value = .none
    public internal(set) var sequences: [[Value]] = []
    public internal(set) var dicts: [[(key: Value, value: Value)]] = []
    public internal(set) var tensors: [Tensor] = []
    public internal(set) var arrays: [Array] = []
    public internal(set) var storages: [Storage] = []
    public internal(set) var decoded: [[UInt8]] = []

    /// The items of a list or tuple; nil for another value.
    public func items(_ value: Value) -> [Value]? {
        switch value {
        case .list(let id), .tuple(let id): sequences[id]
        default: nil
        }
    }

    /// The members of a dict; nil for another value.
    public func members(_ value: Value) -> [(key: Value, value: Value)]? {
        guard case .dict(let id) = value else { return nil }
        return dicts[id]
    }

    /// The member of a dict under a text, also where Python 2 wrote it as bytes.
    public func member(_ value: Value, _ name: String, in bytes: [UInt8]) -> Value? {
        members(value)?.first { text($0.key, in: bytes) == name }?.value
    }

    /// A string, or bytes that are UTF-8.
    /// - Parameter bytes: the pickle's.
    public func text(_ value: Value, in bytes: [UInt8]) -> String? {
        switch value {
        case .string(let text): text
        case .bytes(let range): String(validating: bytes[range], as: UTF8.self)
        case .decodedBytes(let id): String(validating: decoded[id], as: UTF8.self)
        default: nil
        }
    }
}
