import Graph
import Support

/// A small tensor whose elements are known while a model is translated: sizes (which may depend on the batch), axes,
/// numbers, conditions.
struct KnownTensor: Hashable {
    enum Elements: Hashable {
        case integers([Dimension])
        case numbers([Double])
    }

    /// Of more elements nothing is computed here.
    static let maximumCount = 4_096
    static let maximumRank = 16

    var type: ScalarType
    var shape: [Int]
    var elements: Elements

    /// - Parameter shape: one that has a `count(of:)`, and as many elements.
    init(type: ScalarType, shape: [Int], elements: Elements) {
        self.type = type
        self.shape = shape
        self.elements = elements
    }

    /// A list of sizes.
    init(sizes: [Dimension]) {
        self.init(type: .int64, shape: [sizes.count], elements: .integers(sizes))
    }

    init(integer: Dimension) { self.init(type: .int64, shape: [], elements: .integers([integer])) }

    /// - Parameter bytes: row-major, little-endian. Nil for types or sizes of which nothing is computed.
    init?(type: ScalarType, shape: [Int], bytes: [UInt8]) {
        // bounded: few elements, of a few bytes each.
        guard let count = Self.count(of: shape), bytes.count == count * type.byteCount else { return nil }
        func read<T: FixedWidthInteger>(_: T.Type) -> [T] {
            bytes.withUnsafeBytes { raw in
                // bounded: as many as there are bytes for.
                (0..<count).map {
                    T(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
                }
            }
        }
        self.type = type
        self.shape = shape
        switch type {
        case .int64: elements = .integers(read(Int64.self).map { Dimension(Int(widened: $0)) })
        case .int32: elements = .integers(read(Int32.self).map { Dimension(Int(widened: $0)) })
        case .int8:
            elements = .integers(
                bytes.map { Dimension(Int(widened: Int32(truncatingIfNeeded: Int8(bitPattern: $0)))) })
        case .bool, .uint8: elements = .integers(bytes.map { Dimension(Int(widened: $0)) })
        case .float32: elements = .numbers(read(UInt32.self).map { Double(Float(bitPattern: $0)) })
        case .float64: elements = .numbers(read(UInt64.self).map { Double(bitPattern: $0) })
        default: return nil
        }
    }

    /// Elements, where they are few enough; the sizes of an empty shape are few too.
    static func count(of shape: [Int]) -> Int? {
        shape.count <= maximumRank ? Checked.elements(shape, limit: maximumCount) : nil
    }

    var count: Int {
        switch elements {
        case .integers(let list): list.count
        case .numbers(let list): list.count
        }
    }

    /// Nil where they depend on the batch size, or are no integers.
    var knownIntegers: [Int]? {
        guard case .integers(let list) = elements else { return nil }
        let known = list.compactMap(\.known)
        return known.count == list.count ? known : nil
    }

    var dimensions: [Dimension]? {
        if case .integers(let list) = elements { list } else { nil }
    }

    /// As numbers; nil where they depend on the batch size.
    var numbers: [Double]? {
        switch elements {
        case .numbers(let list): list
        case .integers: knownIntegers?.map(Double.init)
        }
    }

    /// The only element.
    var number: Double? {
        guard count == 1 else { return nil }
        return numbers?.first
    }

    /// The only element, as an argument; nil where it depends on the batch size, or is not of the tensor's type.
    var argument: Graph.Argument? {
        guard count == 1 else { return nil }
        if type.isFloatingPoint { return number.map { .float($0) } }
        let whole = knownIntegers?.first ?? number.flatMap { Int(exactly: $0) }
        return whole.map { .int(.known(Int64(widened: $0))) }
    }

    /// Row-major, little-endian elements; nil where they depend on the batch size.
    var bytes: [UInt8]? {
        func pack<T: FixedWidthInteger>(_ list: [T]) -> [UInt8] {
            list.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        }
        switch type {
        case .float32: return numbers.map { pack($0.map { Float($0).bitPattern }) }
        case .float64: return numbers.map { pack($0.map(\.bitPattern)) }
        case .int64: return knownIntegers.map { pack($0.map(Int64.init)) }
        case .int32: return knownIntegers.map { pack($0.map { Int32(truncatingIfNeeded: $0) }) }
        case .bool: return knownIntegers.map { $0.map { $0 == 0 ? 0 : 1 } }
        case .uint8: return knownIntegers.map { $0.map { UInt8(truncatingIfNeeded: $0) } }
        default: return nil
        }
    }

    /// The elements at `positions`, in a new shape.
    func picked(_ positions: [Int], shape: [Int]) -> KnownTensor {
        let elements: Elements =
            switch self.elements {
            case .integers(let list): .integers(positions.map { list[$0] })
            case .numbers(let list): .numbers(positions.map { list[$0] })
            }
        return KnownTensor(type: type, shape: shape, elements: elements)
    }
}

// bounded: by `KnownTensor.count(of:)`.
/// Positions in row-major order, in shapes of few elements (`KnownTensor.count(of:)`): no number grows beyond those.
enum Positions {
    static func strides(_ shape: [Int]) -> [Int] { Checked.rowMajorStrides(shape) ?? [] }

    /// Every index of a shape, the last axis fastest.
    static func all(_ shape: [Int]) -> [[Int]] {
        guard let count = KnownTensor.count(of: shape), count > 0 else { return [] }
        return shape.reduce([[]]) { indices, size in
            indices.flatMap { index in (0..<size).map { index + [$0] } }
        }
    }

    static func of(_ index: [Int], strides: [Int]) -> Int {
        zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
