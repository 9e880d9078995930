import CTorch

/// The arguments of one call, packed for the C ABI: fixed-size values that refer into pools.
///
/// Handles are borrowed: the caller keeps the tensors alive until the call returns.
struct PackedArguments {
    private var values: [ct_value] = []
    private var handles: [OpaquePointer?] = []
    private var integers: [Int64] = []
    private var reals: [Double] = []
    private var characters: [CChar] = []
    private var generator: OpaquePointer?

    init(capacity: Int) {
        values.reserveCapacity(capacity)
        handles.reserveCapacity(capacity)
    }

    private mutating func append(
        _ tag: ct_tag, integer: Int = 0, real: Double = 0, offset: Int = 0, count: Int = 0
    ) {
        values.append(ct_value(tag: tag, integer: Int64(integer), real: real, offset: offset, count: count))
    }

    mutating func append(_ argument: OperatorArgument) {
        switch argument {
        case .defaultValue: append(CT_DEFAULT)
        case .none: append(CT_NONE)
        case .tensor(let tensor):
            append(CT_TENSOR, offset: handles.count, count: 1)
            handles.append(tensor.handle)
        case .tensors(let tensors):
            append(CT_TENSORS, offset: handles.count, count: tensors.count)
            handles += tensors.map(\.handle)
        case .optionalTensors(let tensors):
            append(CT_OPTIONAL_TENSORS, offset: handles.count, count: tensors.count)
            handles += tensors.map { $0?.handle }
        case .int(let value): append(CT_INT, integer: value)
        case .ints(let list):
            append(CT_INTS, offset: integers.count, count: list.count)
            integers += list.map(Int64.init)
        case .double(let value): append(CT_DOUBLE, real: value)
        case .doubles(let list):
            append(CT_DOUBLES, offset: reals.count, count: list.count)
            reals += list
        case .bool(let value): append(CT_BOOL, integer: value ? 1 : 0)
        case .bools(let list):
            append(CT_BOOLS, offset: integers.count, count: list.count)
            integers += list.map { $0 ? 1 : 0 }
        case .string(let text):
            let bytes = text.utf8.map { CChar(bitPattern: $0) }
            append(CT_STRING, offset: characters.count, count: bytes.count)
            characters += bytes
        case .scalarType(let type): append(CT_SCALAR_TYPE, integer: Int(type.rawValue))
        case .memoryFormat(let format): append(CT_MEMORY_FORMAT, integer: Int(format))
        case .layout(let layout): append(CT_LAYOUT, integer: Int(layout))
        case .device: append(CT_COMPUTE_DEVICE)
        case .generator(let value):
            append(CT_GENERATOR)
            generator = value.handle
        }
    }

    func run(_ op: OpaquePointer, token: OpaquePointer?, name: String) throws -> [OperatorResult] {
        var results: UnsafeMutablePointer<ct_value>?
        var count = 0
        let status = values.withUnsafeBufferPointer { values in
            handles.withUnsafeBufferPointer { handles in
                integers.withUnsafeBufferPointer { integers in
                    reals.withUnsafeBufferPointer { reals in
                        characters.withUnsafeBufferPointer { characters in
                            var pools = ct_pools(
                                tensors: handles.baseAddress, tensor_count: handles.count,
                                integers: integers.baseAddress, integer_count: integers.count,
                                reals: reals.baseAddress, real_count: reals.count,
                                characters: characters.baseAddress, character_count: characters.count,
                                generator: generator)
                            return ct_call(
                                op, values.baseAddress, values.count, &pools, token, &results, &count)
                        }
                    }
                }
            }
        }
        try check(status, name)
        defer { ct_free(results) }
        return UnsafeBufferPointer(start: results, count: count).map { value in
            switch value.tag {
            case CT_TENSOR:
                OpaquePointer(bitPattern: Int(value.integer)).map { .tensor(Tensor(owning: $0)) } ?? .none
            case CT_INT: .int(Int(value.integer))
            case CT_DOUBLE: .double(value.real)
            case CT_BOOL: .bool(value.integer != 0)
            default: .none
            }
        }
    }
}
