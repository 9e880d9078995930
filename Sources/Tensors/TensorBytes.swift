import CTorch
import Support

extension Tensor {
    /// A tensor from values in row-major order; `shape` is one dimension when left out.
    public convenience init<Element: TensorElement>(_ values: [Element], shape: [Int]? = nil) throws {
        let shape = shape ?? [values.count]
        let expected = shape.reduce(into: (1, false)) { state, size in
            let (product, overflow) = state.0.multipliedReportingOverflow(by: size)
            state = (product, state.1 || overflow)
        }
        guard !expected.1, expected.0 == values.count else {
            throw TensorError(
                .invalidArgument, operatorName: "tensor",
                message: "\(values.count) values do not fill shape \(shape)")
        }
        let tensor = try values.withUnsafeBytes {
            try Tensor.handle(bytes: $0, type: Element.scalarType, shape: shape, strides: nil)
        }
        self.init(owning: tensor)
    }

    /// A tensor without dimensions.
    public convenience init<Element: TensorElement>(scalar: Element) throws {
        try self.init([scalar], shape: [])
    }

    /// A copy of raw little-endian elements; `strides` in elements, row-major when nil. Throws when `bytes`
    /// ends before the last element.
    public convenience init(
        bytes: UnsafeRawBufferPointer, type: ScalarType, shape: [Int], strides: [Int]? = nil
    ) throws {
        let tensor = try Tensor.handle(bytes: bytes, type: type, shape: shape, strides: strides)
        self.init(owning: tensor)
    }

    static func handle(
        bytes: UnsafeRawBufferPointer, type: ScalarType, shape: [Int], strides: [Int]? = nil
    ) throws -> OpaquePointer {
        if let strides, strides.count != shape.count {
            throw TensorError(
                .invalidArgument, operatorName: "tensor",
                message: "strides \(strides) do not belong to shape \(shape)")
        }
        let sizes = shape.map(Int64.init)
        let steps = strides?.map(Int64.init)
        var handle: OpaquePointer?
        try check(
            sizes.withUnsafeBufferPointer { sizes in
                guard let steps else {
                    return ct_tensor_from_bytes(
                        bytes.baseAddress, bytes.count, type.rawValue, sizes.baseAddress, nil, sizes.count,
                        &handle)
                }
                return steps.withUnsafeBufferPointer { steps in
                    ct_tensor_from_bytes(
                        bytes.baseAddress, bytes.count, type.rawValue, sizes.baseAddress,
                        steps.baseAddress, sizes.count, &handle)
                }
            }, "tensor")
        guard let handle else {
            throw TensorError(.failed, operatorName: "tensor", message: "returned no tensor")
        }
        return handle
    }

    /// The elements in row-major order, converted to `Element`.
    public func array<Element: TensorElement>(as _: Element.Type = Element.self) throws -> [Element] {
        let source = type == Element.scalarType ? self : try to(Element.scalarType)
        return try [Element](unsafeUninitializedCapacity: source.count) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            try source.copyBytes(into: bytes)
            initialized = source.count
        }
    }

    /// The only element of a tensor that has one.
    public func item<Element: TensorElement>(as _: Element.Type = Element.self) throws -> Element {
        let values = try array(as: Element.self)
        guard values.count == 1 else {
            throw TensorError(
                .invalidArgument, operatorName: "item",
                message: "shape \(shape) holds \(count) elements, not one")
        }
        return values[0]
    }

    /// Raw little-endian elements laid out with `strides` (elements; row-major when nil), from the first to
    /// the end of the last; gaps between elements are zero.
    public func bytes(strides: [Int]? = nil) throws -> [UInt8] {
        var last = 0
        if count > 0 {
            var row = 1
            for (dimension, size) in shape.enumerated().reversed() {
                let step = strides.map { $0.indices.contains(dimension) ? $0[dimension] : 0 } ?? row
                let (reach, tooFar) = (size - 1).multipliedReportingOverflow(by: step)
                let (sum, tooMuch) = last.addingReportingOverflow(reach)
                guard !tooFar, !tooMuch, step >= 0 else {
                    throw TensorError(
                        .invalidArgument, operatorName: "bytes",
                        message: "strides \(strides ?? []) do not fit shape \(shape)")
                }
                last = sum
                row *= size
            }
            last += 1
        }
        let (length, overflow) = last.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow else {
            throw TensorError(.invalidArgument, operatorName: "bytes", message: "strides overflow")
        }
        return try [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
            try copyBytes(into: UnsafeMutableRawBufferPointer(buffer), strides: strides)
            initialized = length
        }
    }

    private func copyBytes(into bytes: UnsafeMutableRawBufferPointer, strides: [Int]? = nil) throws {
        guard let steps = strides?.map(Int64.init) else {
            return try check(ct_tensor_copy_bytes(handle, nil, 0, bytes.baseAddress, bytes.count), "bytes")
        }
        try check(
            steps.withUnsafeBufferPointer {
                ct_tensor_copy_bytes(handle, $0.baseAddress, $0.count, bytes.baseAddress, bytes.count)
            }, "bytes")
    }
}
