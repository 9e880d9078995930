import Support

/// A Swift type that has an element type in libtorch.
public protocol TensorElement: Sendable, BitwiseCopyable {
    static var scalarType: ScalarType { get }
}

extension UInt8: TensorElement { public static var scalarType: ScalarType { .uint8 } }
extension Int8: TensorElement { public static var scalarType: ScalarType { .int8 } }
extension Int16: TensorElement { public static var scalarType: ScalarType { .int16 } }
extension Int32: TensorElement { public static var scalarType: ScalarType { .int32 } }
extension Int64: TensorElement { public static var scalarType: ScalarType { .int64 } }
extension Int: TensorElement { public static var scalarType: ScalarType { .int64 } }
extension Float: TensorElement { public static var scalarType: ScalarType { .float32 } }
extension Double: TensorElement { public static var scalarType: ScalarType { .float64 } }
extension Bool: TensorElement { public static var scalarType: ScalarType { .bool } }
