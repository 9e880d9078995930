/// What the checks of an operator are, for the documentation.
extension OperatorRule {
    public struct ArgumentCheck: Hashable, Sendable {
        public var name: String
        /// Such as “2 whole numbers, 1 to 4096”.
        public var check: String
        public var isRequired: Bool
    }

    /// The arguments that may be given, and what is demanded of each; the shapes must fit besides.
    public var argumentChecks: [ArgumentCheck] {
        schema.arguments.map { argument in
            .init(
                name: argument.name,
                check: Self.check(argument, in: schema) + (argument.isOptional ? ", or None" : ""),
                isRequired: argument.defaultValue == .required)
        }
    }

    private static func check(_ argument: OperatorSchema.Argument, in schema: OperatorSchema) -> String {
        switch argument.kind {
        case .tensor: return argument.isMutated ? "tensor, written" : "tensor"
        case .tensors: return "1 to \(longestList) tensors"
        case .optionalTensors: return "at most \(longestList) tensors or gaps"
        case .int: return "whole number" + range(argument.name)
        case .ints:
            let count = argument.length.map { $0 > 1 ? "0, 1 or \($0)" : "at most \(longestList)" }
            return (count ?? "at most \(longestList)") + " whole numbers" + range(argument.name)
        case .float:
            guard let range = range(of: argument, in: schema) else { return "finite number" }
            return "number, \(Int(range.lowerBound)) to \(Int(range.upperBound))"
        case .floats: return "at most \(longestList) finite numbers"
        case .scalar: return "number"
        case .bool: return "True or False"
        case .string:
            if argument.name == "equation" { return "letters, commas and an arrow, at most 64" }
            return (words[argument.name] ?? []).sorted().map { "“\($0)”" }.joined(separator: ", ")
        case .scalarType: return "element type"
        case .memoryFormat: return "contiguous, preserve or channels_last"
        case .layout: return "strided"
        case .device: return "cpu"
        }
    }

    private static func range(_ name: String) -> String {
        guard let range = bounds[name] else { return ", at most 2^31 in magnitude" }
        guard range.lowerBound > .min else { return "" }
        return range.lowerBound == range.upperBound
            ? ", \(range.lowerBound)" : ", \(range.lowerBound) to \(range.upperBound)"
    }
}

extension OperatorCatalog {
    /// Every operator, by name.
    public static var all: [OperatorRule] {
        table.sorted { ($0.name, $0.overload) < ($1.name, $1.overload) }
    }
}
