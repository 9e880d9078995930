/// Writes Thrift's compact protocol field by field, as Parquet's footers and headers of pages are.
struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    private var last = 0

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    /// - Parameter id: larger than that of the field before.
    private mutating func field(_ id: Int, type: UInt8) {
        bytes.append(UInt8(id - last) << 4 | type)
        last = id
    }

    mutating func int32(_ id: Int, _ value: Int64) {
        field(id, type: 5)
        zigzag(Int64(Int32(truncatingIfNeeded: value)))
    }

    mutating func int64(_ id: Int, _ value: Int64) {
        field(id, type: 6)
        zigzag(value)
    }

    mutating func data(_ id: Int, _ content: [UInt8]) {
        field(id, type: 8)
        element(content)
    }

    mutating func text(_ id: Int, _ text: String) { data(id, Array(text.utf8)) }

    mutating func message(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
        field(id, type: 12)
        element(body)
    }

    /// - Parameters:
    ///   - type: of the elements: 5 numbers, 8 text, 12 messages.
    ///   - count: as it is stated.
    mutating func list(_ id: Int, type: UInt8, count: Int64, _ body: (inout ThriftWriter) -> Void) {
        field(id, type: 9)
        if (0..<15).contains(count) {
            bytes.append(UInt8(count) << 4 | type)
        } else {
            bytes.append(0xF0 | type)
            varint(UInt64(bitPattern: count))
        }
        body(&self)
    }

    // MARK: Elements of lists

    mutating func element(_ value: Int64) { zigzag(Int64(Int32(truncatingIfNeeded: value))) }

    mutating func element(_ content: [UInt8]) {
        varint(UInt64(content.count))
        bytes += content
    }

    mutating func element(_ body: (inout ThriftWriter) -> Void) {
        var inner = ThriftWriter()
        body(&inner)
        bytes += inner.bytes + [0]
    }
}
