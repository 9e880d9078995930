import Graph
import Support

/// Names of values in the file, and their numbers.
struct ValueTable {
    private(set) var names: [String] = []
    private var ids: [String: Graph.ValueID] = [:]

    /// A new value.
    mutating func define(_ node: JSONNode) throws -> Graph.ValueID {
        let name = try node.string()
        let id = names.count
        guard ids.updateValue(id, forKey: name) == nil else {
            throw GraphFault.structure.problem("The value “\(name.prefix(80))” is written twice.")
        }
        names.append(name)
        return id
    }

    /// Another name for a value that is there.
    mutating func alias(_ node: JSONNode, _ id: Graph.ValueID) throws {
        let name = try node.string()
        guard ids.updateValue(id, forKey: name) == nil else {
            throw GraphFault.structure.problem("The value “\(name.prefix(80))” is written twice.")
        }
    }

    func find(_ node: JSONNode) throws -> Graph.ValueID {
        let name = try node.string()
        guard let id = ids[name] else {
            throw GraphFault.structure.problem(
                "The value “\(name.prefix(80))” is read at \(node.place.text), and never written.")
        }
        return id
    }
}

/// Translates the arguments of nodes.
enum PT2Arguments {
    static func argument(_ node: JSONNode, _ values: ValueTable) throws -> Graph.Argument {
        let (tag, value) = try node.union()
        switch tag {
        case "as_none": return .none
        case "as_tensor": return .tensor(try values.find(value.member("name")))
        case "as_tensors": return .tensors(try value.items().map { try values.find($0.member("name")) })
        case "as_optional_tensor": return try optionalTensor(value, values).map { .tensor($0) } ?? .none
        case "as_optional_tensors":
            return .optionalTensors(try value.items().map { try optionalTensor($0, values) })
        case "as_int": return .int(.known(Int64(widened: try value.int())))
        case "as_ints": return .ints(try value.items().map { .known(Int64(widened: try $0.int())) })
        case "as_sym_int": return .int(try symbolicInt(value, values))
        case "as_sym_ints": return .ints(try value.items().map { try symbolicInt($0, values) })
        case "as_float": return .float(try value.double())
        case "as_floats": return .floats(try value.items().map { try $0.double() })
        case "as_bool": return .bool(try value.bool())
        case "as_bools": return .bools(try value.items().map { try $0.bool() })
        case "as_string": return .string(try value.string())
        case "as_scalar_type": return .scalarType(try PT2Tensors.scalarType(value))
        case "as_memory_format": return .memoryFormat(try memoryFormat(value))
        case "as_layout":
            guard try value.int() == 7 else { throw value.failure("Only the strided layout is supported.") }
            return .layout(0)
        case "as_device":
            guard try value.member("type").string() == "cpu" else {
                throw value.failure("The model names another device than the CPU: export it on the CPU.")
            }
            return .device
        default:
            throw node.failure("Arguments of the kind “\(tag.prefix(40))” are not supported.")
        }
    }

    private static func optionalTensor(_ node: JSONNode, _ values: ValueTable) throws -> Graph.ValueID? {
        let (tag, value) = try node.union()
        switch tag {
        case "as_none": return nil
        case "as_tensor": return try values.find(value.member("name"))
        default: throw node.failure("A tensor or None is expected.")
        }
    }

    private static func symbolicInt(_ node: JSONNode, _ values: ValueTable) throws -> Graph.SymbolicInt {
        let (tag, value) = try node.union()
        switch tag {
        case "as_int": return .known(Int64(widened: try value.int()))
        case "as_name": return .computed(try values.find(value))
        default: throw node.failure("A whole number or the name of one is expected.")
        }
    }

    private static func memoryFormat(_ node: JSONNode) throws -> Int8 {
        // The schema's numbers, and c10's.
        let formats: [Int: Int8] = [1: 0, 2: 2, 4: 1]
        guard let format = formats[try node.int()] else {
            throw node.failure("The memory format is not supported.")
        }
        return format
    }

    /// The values a node writes; nil for one that is no value (None).
    static func outputs(_ node: JSONNode, _ values: inout ValueTable) throws -> [Graph.ValueID?] {
        var outputs: [Graph.ValueID?] = []
        for item in try node.items() {
            let (tag, value) = try item.union()
            switch tag {
            case "as_tensor": outputs.append(try values.define(value.member("name")))
            case "as_tensors":
                for tensor in try value.items() { outputs.append(try values.define(tensor.member("name"))) }
            case "as_sym_int": outputs.append(try values.define(value.member("as_name")))
            case "as_none": outputs.append(nil)
            default: throw item.failure("Results of the kind “\(tag.prefix(40))” are not supported.")
            }
        }
        return outputs
    }
}
