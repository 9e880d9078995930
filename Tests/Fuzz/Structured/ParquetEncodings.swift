/// Values in the encodings of pages.
extension ParquetGenerator {
    /// Runs of eight values of one bit each.
    mutating func packed(_ values: [Int]) -> [UInt8] {
        let groups = (values.count + 7) / 8
        var writer = ThriftWriter()
        writer.varint(UInt64(bitPattern: choices.number(Int64(groups))) << 1 | 1)
        let packed = (0..<groups).map { group in
            (0..<8).reduce(UInt8(0)) { byte, bit in
                let place = group * 8 + bit
                return place < values.count && values[place] == 1 ? byte | 1 << UInt8(bit) : byte
            }
        }
        return writer.bytes + packed
    }

    mutating func repeated(_ value: UInt8, count: Int64) -> [UInt8] {
        var writer = ThriftWriter()
        writer.varint(UInt64(bitPattern: choices.number(count)) << 1)
        return writer.bytes + [value]
    }

    /// DELTA_BINARY_PACKED: one block of four miniblocks, the first of which has the differences.
    mutating func differences(_ values: [Int64]) -> [UInt8] {
        var writer = ThriftWriter()
        writer.varint(UInt64(bitPattern: choices.number(128)))
        writer.varint(UInt64(bitPattern: choices.number(4)))
        writer.varint(UInt64(bitPattern: choices.number(Int64(values.count))))
        let first = choices.number(values[0])
        writer.varint(UInt64(bitPattern: first << 1 ^ first >> 63))
        let steps = zip(values.dropFirst(), values).map { $0 - $1 }
        let least = choices.number(steps.min() ?? 0)
        writer.varint(UInt64(bitPattern: least << 1 ^ least >> 63))
        let width = UInt8(truncatingIfNeeded: choices.number(8))
        // 32 differences of eight bits each.
        let packed = (0..<32).map { $0 < steps.count ? UInt8(truncatingIfNeeded: steps[$0] &- least) : 0 }
        return writer.bytes + [width, 0, 0, 0] + packed
    }
}
