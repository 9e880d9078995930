import Support

/// The names that are understood, and what is made of their arguments: structs, checked.
extension PickleReader {
    private static let storageTypes: [String: ScalarType] = [
        "torch.FloatStorage": .float32, "torch.DoubleStorage": .float64, "torch.HalfStorage": .float16,
        "torch.BFloat16Storage": .bfloat16, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
        "torch.ShortStorage": .int16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8,
        "torch.BoolStorage": .bool,
    ]

    private static let builders: Set<String> = [
        "collections.OrderedDict", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter", "torch.Size", "torch.device", "_codecs.encode",
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype",
    ]

    /// Names that are data by themselves.
    private static let plain: Set<String> = [
        "numpy.ndarray", "torch.float32", "torch.float64", "torch.float16", "torch.bfloat16", "torch.int64",
        "torch.int32", "torch.int16", "torch.int8", "torch.uint8", "torch.bool",
    ]

    func global(_ module: String, _ name: String) throws -> Value {
        let full = module + "." + name
        guard
            Self.storageTypes[full] != nil || Self.builders.contains(full) || Self.plain.contains(full)
                || Self.inertTypes.contains(full) || Self.inertDicts.contains(full)
                || Self.bareTypes.contains(full) || Self.factories.contains(full)
        else {
            throw fault("It needs “\(full.prefix(120))”, which is not data.", .global)
        }
        return .global(full)
    }

    /// PyTorch's ("storage", type, key, device, number of elements).
    mutating func persistent(_ id: Value) throws -> Value {
        guard let parts = document.items(id), parts.count >= 5, parts[0] == .string("storage"),
            case .global(let type) = parts[1], let element = Self.storageTypes[type],
            case .string(let key) = parts[2], case .int(let count) = parts[4],
            let count = Int(exactly: count),
            count >= 0
        else { throw fault("A storage is not described as PyTorch does it.") }
        guard !key.isEmpty, key.utf8.count <= 40, key.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw fault("A storage has the key “\(key.prefix(40))”, which is no number.")
        }
        try reserve(PickleMemory.table)
        // PyTorch takes a storage to be what it was called first.
        guard storageTypesByKey.updateValue(element, forKey: key) ?? element == element else {
            throw fault("The storage “\(key)” has two element types.")
        }
        document.storages.append(.init(key: key, type: element, count: count))
        return .storage(document.storages.count - 1)
    }

    mutating func reduce(_ callable: Value, _ arguments: Value) throws -> Value {
        guard case .global(let name) = callable, let arguments = document.items(arguments) else {
            throw fault("It calls what is no name.", .opcode)
        }
        if let value = try inert(name, arguments) { return value }
        switch name {
        case "collections.OrderedDict":
            guard let pairs = arguments.first else { return try dict([]) }
            return try dict(
                (document.items(pairs) ?? []).flatMap { pair in
                    guard let pair = document.items(pair), pair.count == 2 else {
                        throw fault("An OrderedDict is not made of pairs.")
                    }
                    return pair
                })
        case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
            return try tensor(arguments)
        case "torch._utils._rebuild_parameter":
            guard case .tensor? = arguments.first else { throw fault("A parameter holds no tensor.") }
            return arguments[0]
        case "torch.Size":
            guard let sizes = arguments.first, document.items(sizes) != nil else {
                return .tuple(try sequence([]))
            }
            return sizes
        case "torch.device": return arguments.first ?? .none
        case "_codecs.encode": return try encoded(arguments)
        case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
            try reserve(PickleMemory.table)
            document.arrays.append(.init(type: "", shape: [], isFortranOrder: false, content: .none))
            return .array(document.arrays.count - 1)
        case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
            guard arguments.count == 2, case .elementType(let type) = arguments[0] else {
                throw fault("A NumPy scalar has no element type.")
            }
            try reserve(PickleMemory.table)
            document.arrays.append(
                .init(type: type, shape: [], isFortranOrder: false, content: arguments[1]))
            return .array(document.arrays.count - 1)
        case "numpy.dtype":
            guard let type = arguments.first.flatMap({ document.text($0, in: bytes) }) else {
                throw fault("A NumPy element type has no name.")
            }
            return .elementType(type)
        default: throw fault("It calls “\(name)”, which is never done.", .global)
        }
    }

    /// `BUILD`: the state of a NumPy array or element type; that of a dict is left out.
    mutating func build(_ object: Value, _ state: Value) throws -> Value {
        switch object {
        // Attributes of a bare object; of an OrderedDict PyTorch's `_metadata`, which says nothing about weights.
        case .dict(let id):
            try setAttributes(state, of: id)
            return object
        case .elementType(let type):
            // (version, byte order, …); “|” where there is no order.
            guard let parts = document.items(state), parts.count >= 2,
                let order = document.text(parts[1], in: bytes), ["<", ">", "|", "="].contains(order)
            else { throw fault("A NumPy element type has an unknown state.") }
            let plain = type.first.map { "<>|=".contains($0) } == true ? String(type.dropFirst()) : type
            return .elementType((order == "=" ? "<" : order) + plain)
        case .array(let id):
            guard let parts = document.items(state), parts.count == 5, let shape = integers(parts[1]),
                case .elementType(let type) = parts[2], case .bool(let fortran) = try flag(parts[3])
            else { throw fault("A NumPy array has an unknown state.") }
            switch parts[4] {
            case .bytes, .decodedBytes, .string: break
            // An array of objects: a list, whose values are data too.
            default: throw fault("A NumPy array holds objects, not numbers.")
            }
            document.arrays[id] = .init(type: type, shape: shape, isFortranOrder: fortran, content: parts[4])
            return object
        default: throw fault("It sets the state of what has none.", .opcode)
        }
    }

    private func flag(_ value: Value) throws -> Value {
        if case .int(let number) = value { return .bool(number != 0) }
        return value
    }

    private func integers(_ value: Value) -> [Int]? {
        guard let items = document.items(value), items.count <= 16 else { return nil }
        var numbers: [Int] = []
        for case .int(let number) in items where number >= 0 { numbers.append(Int(widened: number)) }
        return numbers.count == items.count ? numbers : nil
    }

    private mutating func tensor(_ arguments: [Value]) throws -> Value {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .int(let offset) = arguments[1], offset >= 0, let shape = integers(arguments[2]),
            let strides = integers(arguments[3]), shape.count == strides.count
        else { throw fault("A tensor is not described as PyTorch does it.") }
        try reserve(PickleMemory.table)
        try reserve(PickleMemory.value, times: shape.count)
        document.tensors.append(
            .init(
                storage: document.storages[storage], offset: Int(widened: offset), shape: shape,
                strides: strides))
        return .tensor(document.tensors.count - 1)
    }

    /// Protocol 2 writes bytes as text of the first 256 characters.
    private mutating func encoded(_ arguments: [Value]) throws -> Value {
        guard arguments.count >= 2, case .string(let text) = arguments[0],
            ["latin1", "latin-1", "iso-8859-1"].contains(document.text(arguments[1], in: bytes) ?? "")
        else { throw fault("Text is encoded in an unknown way.") }
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { throw fault("Text is not in latin1.") }
            result.append(byte)
        }
        // The same text may be encoded again and again out of the memo.
        guard let sum = Checked.sum(decodedBytes, result.count), sum <= limits.maximumBytes else {
            throw fault("Its texts have more than \(limits.maximumBytes) bytes.", .limit)
        }
        decodedBytes = sum
        try reserve(PickleMemory.container)
        document.decoded.append(result)
        return .decodedBytes(document.decoded.count - 1)
    }
}
