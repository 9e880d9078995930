import Graph
import Support

/// How a file keeps a weight as whole numbers: `value = (whole - zeroPoint) * scale`, with one scale for all, or one for
/// each place along an axis (ONNX DequantizeLinear).
struct Quantisation: Hashable, Sendable {
    let type: ScalarType
    let scales: [Float]
    let zeroPoints: [Int]
    /// Elements from one place of the axis to the next, in row-major order.
    let inner: Int

    static let types: Set<ScalarType> = [.int8, .uint8, .int32]

    /// - Parameter axis: nil for one scale.
    /// - Returns: nil where the scales do not fit the shape, or are none.
    init?(_ type: ScalarType, scales: [Double], zeroPoints: [Int], axis: Int?, shape: [Int]) {
        guard Self.types.contains(type), scales.allSatisfy({ $0.isFinite && $0 > 0 }),
            scales.count == zeroPoints.count
        else { return nil }
        if let axis {
            guard shape.indices.contains(axis), scales.count == shape[axis],
                let inner = Checked.elements(Array(shape[(axis + 1)...]))
            else { return nil }
            self.inner = inner
        } else {
            guard scales.count == 1 else { return nil }
            inner = 1
        }
        self.type = type
        self.scales = scales.map { Float($0) }
        self.zeroPoints = zeroPoints
    }

    /// Of element `index`. In bounds: the remainder.
    private func place(_ index: Int) -> Int { index / max(inner, 1) % scales.count }

    static func bounds(_ type: ScalarType) -> ClosedRange<Int> {
        switch type {
        case .int8: -128...127
        case .uint8: 0...255
        default: Int(Int32.min)...Int(Int32.max)
        }
    }

    /// Elements of `type` as float32.
    func decoded(_ bytes: [UInt8]) -> [UInt8] {
        // bounded in this type: by the elements that the buffer holds.
        let count = bytes.count / type.byteCount
        var values: [Float] = []
        values.reserveCapacity(count)
        bytes.withUnsafeBytes { raw in
            for index in 0..<count {
                let whole: Int =
                    switch type {
                    case .int8: Int(raw.loadUnaligned(fromByteOffset: index, as: Int8.self))
                    case .uint8: Int(raw[index])
                    default: Int(raw.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self))
                    }
                let place = place(index)
                values.append(Float(whole - zeroPoints[place]) * scales[place])
            }
        }
        return values.withUnsafeBytes { Array($0) }
    }

    /// Elements of float32 as `type`, rounded to the nearest and held within its range, as QuantizeLinear does it.
    func encoded(_ bytes: [UInt8]) -> [UInt8] {
        let bounds = Self.bounds(type)
        let count = bytes.count / 4
        var result = [UInt8](repeating: 0, count: count * type.byteCount)
        bytes.withUnsafeBytes { raw in
            result.withUnsafeMutableBytes { target in
                // In bounds: both buffers hold `count` elements of their type.
                for index in 0..<count {
                    let place = place(index)
                    let value = raw.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                    let steps = (Double(value) / Double(scales[place])).rounded(.toNearestOrEven)
                    let limited = max(
                        Double(bounds.lowerBound),
                        min(Double(bounds.upperBound), steps + Double(zeroPoints[place])))
                    let whole = limited.isNaN ? zeroPoints[place] : Int(limited)
                    switch type {
                    case .int8:
                        target.storeBytes(of: Int8(clamping: whole), toByteOffset: index, as: Int8.self)
                    case .uint8: target[index] = UInt8(clamping: whole)
                    default:
                        target.storeBytes(of: Int32(clamping: whole), toByteOffset: 4 * index, as: Int32.self)
                    }
                }
            }
        }
        return result
    }
}
