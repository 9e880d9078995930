import Support

// bounded in this file: signatures of this program, nothing foreign.

/// An operator's signature, written as PyTorch writes it in `native_functions.yaml`.
struct OperatorSchema: Sendable {
    enum Kind: Hashable, Sendable {
        case tensor, tensors, optionalTensors, int, ints, float, floats, scalar, bool, string, scalarType,
            memoryFormat
        case layout, device
    }

    enum Default: Hashable, Sendable {
        case required, none
        case bool(Bool), int(Int), float(Double), ints([Int]), string(String)
    }

    struct Argument: Sendable {
        var name: String
        var kind: Kind
        var isOptional: Bool
        /// For `int[2]`: 2.
        var length: Int?
        /// Written to by the operator.
        var isMutated: Bool
        /// May share memory with a result.
        var isAliased: Bool
        var defaultValue: Default
    }

    var name: String
    var overload: String
    var arguments: [Argument]
    /// Nil for a list of tensors, whose length depends on the arguments.
    var resultCount: Int?

    /// - Parameter text: such as `aten::relu_(Tensor(a!) self) -> Tensor(a!)`. Nil where it is none.
    init?(_ text: String) {
        guard let open = text.firstIndex(of: "("), let arrow = text.firstRange(of: ") -> ") else {
            return nil
        }
        let head = text[..<open].split(separator: ".", maxSplits: 1)
        guard let name = head.first else { return nil }
        self.name = String(name)
        overload = head.count > 1 ? String(head[1]) : ""
        let results = text[arrow.upperBound...]
        if results.hasSuffix("[]") {
            resultCount = nil
        } else {
            resultCount = results.hasPrefix("(") ? results.split(separator: ",").count : 1
        }
        arguments = []
        for part in Self.parts(text[text.index(after: open)..<arrow.lowerBound]) where part != "*" {
            guard let argument = Argument(part) else { return nil }
            arguments.append(argument)
        }
    }

    /// Splits at the commas that stand outside brackets.
    private static func parts(_ text: Substring) -> [String] {
        var parts: [String] = []
        var current = ""
        var depth = 0
        for character in text {
            switch character {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            default: break
            }
            if character == ",", depth == 0 {
                parts.append(current)
                current = ""
            } else if !(character == " " && current.isEmpty) {
                current.append(character)
            }
        }
        return current.isEmpty ? parts : parts + [current]
    }
}

extension OperatorSchema.Argument {
    /// - Parameter text: such as `SymInt[2] stride=[1, 1]`.
    fileprivate init?(_ text: String) {
        guard let space = Self.nameStart(text) else { return nil }
        var type = String(text[..<space])
        let rest = text[text.index(after: space)...].split(separator: "=", maxSplits: 1)
        guard let name = rest.first else { return nil }
        isMutated = type.contains("!")
        isAliased = type.contains("(")
        if let open = type.firstIndex(of: "("), let close = type.firstIndex(of: ")") {
            type.removeSubrange(open...close)
        }
        isOptional = type.hasSuffix("?")
        if isOptional { type.removeLast() }
        length = nil
        if let open = type.firstIndex(of: "[") {
            length = Int(type[type.index(after: open)...].dropLast())
            type = String(type[..<open]) + "[]"
        }
        switch type {
        case "Tensor": kind = .tensor
        case "Tensor[]": kind = .tensors
        case "Tensor?[]": kind = .optionalTensors
        case "int", "SymInt": kind = .int
        case "int[]", "SymInt[]": kind = .ints
        case "float": kind = .float
        case "float[]": kind = .floats
        case "Scalar": kind = .scalar
        case "bool": kind = .bool
        case "str": kind = .string
        case "ScalarType": kind = .scalarType
        case "MemoryFormat": kind = .memoryFormat
        case "Layout": kind = .layout
        case "Device": kind = .device
        default: return nil
        }
        self.name = String(name)
        guard rest.count > 1 else {
            defaultValue = .required
            return
        }
        guard let value = Self.literal(String(rest[1])) else { return nil }
        defaultValue = value
    }

    /// The space between type and name: the last one before the default.
    private static func nameStart(_ text: String) -> String.Index? {
        let end = text.firstIndex(of: "=") ?? text.endIndex
        return text[..<end].lastIndex(of: " ")
    }

    private static func literal(_ text: String) -> OperatorSchema.Default? {
        switch text {
        case "None": return OperatorSchema.Default.none
        case "True": return .bool(true)
        case "False": return .bool(false)
        default: break
        }
        if text.hasPrefix("\"") { return .string(String(text.dropFirst().dropLast())) }
        if text.hasPrefix("[") {
            let items = text.dropFirst().dropLast().split(separator: ",").map { Int($0.filter { $0 != " " }) }
            return items.contains(nil) ? nil : .ints(items.compactMap { $0 })
        }
        if let value = Int(text) { return .int(value) }
        return Double(text.hasSuffix(".") ? text + "0" : text).map { .float($0) }
    }
}
