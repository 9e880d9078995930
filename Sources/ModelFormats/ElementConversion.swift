import Graph
import Support

// bounded in this file: by the elements that both buffers hold.

/// Elements from one floating-point type to another, as PyTorch's `Tensor.to` does it.
enum ElementConversion {
    static func isPossible(_ from: ScalarType, _ to: ScalarType) -> Bool {
        from == to || (from.isFloatingPoint && to.isFloatingPoint)
    }

    /// - Parameter bytes: little-endian elements of the type `from`.
    static func convert(_ bytes: [UInt8], from: ScalarType, to: ScalarType) -> [UInt8] {
        guard from != to, isPossible(from, to) else { return bytes }
        let count = bytes.count / from.byteCount
        var result = [UInt8](repeating: 0, count: count * to.byteCount)
        bytes.withUnsafeBytes { source in
            result.withUnsafeMutableBytes { target in
                // In bounds: both buffers hold `count` elements of their type.
                for index in 0..<count {
                    store(load(source, index, from), target, index, to)
                }
            }
        }
        return result
    }

    private static func load(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ type: ScalarType) -> Double {
        switch type {
        case .float64: bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self)
        case .float16: Double(bytes.loadUnaligned(fromByteOffset: 2 * index, as: Float16.self))
        case .bfloat16:
            Double(
                Float(
                    bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)) << 16)
            )
        default: Double(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self))
        }
    }

    private static func store(
        _ value: Double, _ bytes: UnsafeMutableRawBufferPointer, _ index: Int, _ type: ScalarType
    ) {
        switch type {
        case .float64: bytes.storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
        case .float16: bytes.storeBytes(of: Float16(value), toByteOffset: 2 * index, as: Float16.self)
        case .bfloat16:
            bytes.storeBytes(of: bfloat16(Float(value)), toByteOffset: 2 * index, as: UInt16.self)
        default: bytes.storeBytes(of: Float(value), toByteOffset: 4 * index, as: Float.self)
        }
    }

    /// Rounds to nearest, ties to even.
    private static func bfloat16(_ value: Float) -> UInt16 {
        if value.isNaN { return 0x7FC0 }
        let bits = value.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
}
