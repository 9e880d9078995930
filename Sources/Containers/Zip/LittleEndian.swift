// bounded in this file: what is taken is compared with what remains.

/// Little-endian fields of a record that is known to be long enough: every read is still checked.
struct LittleEndian {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - position }

    /// The next unsigned integer of `T`'s width; nil past the end.
    mutating func next<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self) -> T? {
        let width = T.bitWidth / 8
        guard remaining >= width else { return nil }
        var value: T = 0
        for index in (0..<width).reversed() { value = value << 8 | T(bytes[position + index]) }
        position += width
        return value
    }

    mutating func next(count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, remaining >= count else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }
}
