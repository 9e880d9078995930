import Graph
import Support

/// Reads what PyTorch's schema says of tensors (torch/_export/serde/schema.py, major version 8).
enum PT2Tensors {
    /// `ScalarType` of the schema, which is not that of c10.
    static func scalarType(_ node: JSONNode) throws -> ScalarType {
        let number = try node.int()
        let types: [Int: ScalarType] = [
            1: .uint8, 2: .int8, 3: .int16, 4: .int32, 5: .int64, 6: .float16, 7: .float32, 8: .float64,
            12: .bool, 13: .bfloat16,
        ]
        guard let type = types[number] else {
            let others = [9: "complex32", 10: "complex64", 11: "complex128", 28: "uint16"]
            throw node.failure("The element type \(others[number] ?? "number \(number)") is not supported.")
        }
        return type
    }

    /// A whole number of a `TensorMeta` that must not be symbolic.
    static func known(_ node: JSONNode) throws -> Int {
        let (tag, value) = try node.union()
        guard tag == "as_int" else {
            throw node.failure("A symbolic size stands where a fixed one is needed.")
        }
        return try value.int()
    }

    /// Whether the size is one symbol by itself, such as the batch size.
    static func isSymbol(_ node: JSONNode) throws -> Bool {
        let (tag, value) = try node.union()
        guard tag == "as_expr" else { return false }
        var text = try value.member("expr_str").string()[...]
        // “Symbol('s77', positive=True, integer=True)”, or the bare name.
        if text.hasPrefix("Symbol('"), text.hasSuffix(")") {
            let name = text.dropFirst("Symbol('".count).prefix { $0 != "'" }
            let rest = text.dropFirst("Symbol('".count + name.count + 1)
            guard !rest.dropLast().contains(where: { "()*+/".contains($0) }) else { return false }
            text = name
        }
        return !text.isEmpty && text.allSatisfy { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
    }
}
