import Graph
import Support

/// A tensor that the file holds: an initializer, or the value of a Constant.
struct ONNXTensor {
    enum Elements {
        /// At this place of the file, row-major and little-endian.
        case file(offset: Int, count: Int)
        case inline([UInt8])
    }

    var name: String
    var type: ScalarType
    var shape: [Int]
    var elements: Elements
    /// What its whole numbers stand for.
    var quantisation: Quantisation?

    /// What it is read as: half precision, and what is quantised, as float32.
    var readType: ScalarType {
        quantisation != nil || type == .float16 || type == .bfloat16 ? .float32 : type
    }

    /// The elements as `readType`.
    func read(_ bytes: [UInt8]) -> [UInt8] {
        quantisation?.decoded(bytes) ?? ElementConversion.convert(bytes, from: type, to: readType)
    }

    let count: Int

    /// `TensorProto.DataType`s that are not read, by name.
    private static let otherTypes: [Int32: String] = [
        4: "uint16", 8: "string", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128",
        17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4",
        22: "int4", 23: "float4e2m1",
    ]

    /// - Parameters:
    ///   - payload: where its elements lie, if that was noted.
    ///   - name: for messages, and as the weight's name.
    ///   - files: those beside the model's own.
    /// - Throws: `Problem` when the elements do not fit type and shape.
    init(
        _ proto: Onnx_TensorProto, _ payload: WireScanner.Payload?, name: String, maximumRank: Int,
        files: ONNXFiles = ONNXFiles([:])
    ) throws {
        func refuse(_ detail: String, fix: String? = nil) -> Problem {
            ONNXFault.weights.problem("“\(name.prefix(80))”: \(detail)", fix: fix)
        }
        let types: [Int32: ScalarType] = [
            1: .float32, 2: .uint8, 3: .int8, 5: .int16, 6: .int32, 7: .int64, 9: .bool, 10: .float16,
            11: .float64,
            16: .bfloat16,
        ]
        guard let type = types[proto.dataType] else {
            throw refuse(
                "The element type \(Self.otherTypes[proto.dataType] ?? "number \(proto.dataType)") is not supported.",
                fix:
                    "Export the model in single precision: torch.onnx.export(model.float().eval(), (images,), "
                    + "\"model.onnx\", dynamo=True)")
        }
        guard proto.dims.count <= maximumRank else { throw refuse("Its rank is \(proto.dims.count).") }
        let sizes = proto.dims.map { Int(widened: $0) }
        guard let count = Checked.elements(sizes), let bytes = Checked.product(count, type.byteCount) else {
            throw refuse("Its sizes \(sizes) are negative or too large.")
        }
        self.name = name
        self.type = type
        self.count = count
        shape = sizes
        let given: Int
        if proto.dataLocation != 0 || !proto.externalData.isEmpty {
            guard proto.dataLocation == 1, payload == nil else {
                throw refuse("It says both to be in another file and not to be.")
            }
            let place = try files.place(proto, tensor: name)
            elements = .file(offset: place.lowerBound, count: place.count)
            given = place.count
        } else if let payload, Self.fits(payload.field, type) {
            elements = .file(offset: payload.offset, count: payload.count)
            given = payload.count
        } else {
            let list = Self.elements(proto, type)
            elements = .inline(list)
            given = list.count
        }
        guard given == bytes else {
            throw refuse("It has \(given) bytes, where \(shape) of \(type) needs \(bytes).")
        }
    }

    /// A constant that is not in the file.
    init(name: String, type: ScalarType, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.shape = shape
        count = bytes.count / type.byteCount
        elements = .inline(bytes)
    }

    private static func fits(_ field: WireScanner.Payload.Field, _ type: ScalarType) -> Bool {
        switch field {
        case .raw: true
        case .floats: type == .float32
        case .doubles: type == .float64
        }
    }

    private static func elements(_ proto: Onnx_TensorProto, _ type: ScalarType) -> [UInt8] {
        if !proto.rawData.isEmpty { return Array(proto.rawData) }
        func bytes<T: FixedWidthInteger>(_ list: [T]) -> [UInt8] {
            list.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        }
        return switch type {
        case .float32: bytes(proto.floatData.map(\.bitPattern))
        case .float64: bytes(proto.doubleData.map(\.bitPattern))
        case .int64: bytes(proto.int64Data)
        case .int32: bytes(proto.int32Data)
        case .int16: bytes(proto.int32Data.map { Int16(truncatingIfNeeded: $0) })
        case .float16, .bfloat16: bytes(proto.int32Data.map { UInt16(truncatingIfNeeded: $0) })
        case .uint8, .int8, .bool: proto.int32Data.map { UInt8(truncatingIfNeeded: $0) }
        }
    }
}
