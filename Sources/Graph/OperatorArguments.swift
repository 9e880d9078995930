import Support

extension OperatorRule {
    /// Checks a node's arguments against the signature: names, kinds and magnitudes. Shapes come later.
    /// - Throws: `Problem` `model-operator-argument` that names node and argument.
    public func checkArguments(of node: Graph.Node) throws {
        var seen: Set<String> = []
        for argument in node.arguments {
            guard let expected = schema.arguments.first(where: { $0.name == argument.name }) else {
                throw GraphFault.argument.problem("It has no argument “\(argument.name)”.", node: node)
            }
            guard seen.insert(argument.name).inserted else {
                throw GraphFault.argument.problem("Argument “\(argument.name)” is given twice.", node: node)
            }
            if let reason = Self.refusal(of: argument.value, expected, in: schema) {
                throw GraphFault.argument.problem("Argument “\(argument.name)” \(reason).", node: node)
            }
        }
        for expected in schema.arguments where expected.defaultValue == .required {
            guard seen.contains(expected.name) else {
                throw GraphFault.argument.problem("Argument “\(expected.name)” is missing.", node: node)
            }
        }
        if let count = schema.resultCount, node.outputs.count != count {
            throw GraphFault.structure.problem(
                "It has \(node.outputs.count) results, not \(count).", node: node)
        }
    }

    static let longestList = 4_096

    /// Magnitudes by name, so that no kernel, stride or group count can be absurd. Sizes of results are
    /// bounded by the shapes.
    static let bounds: [String: ClosedRange<Int64>] = [
        "kernel_size": 1...4_096, "stride": 1...4_096, "padding": 0...4_096, "dilation": 1...4_096,
        "output_padding": 0...4_096, "groups": 1...65_536, "num_groups": 1...65_536, "group": 1...65_536,
        "output_size": 1...4_096, "chunks": 1...4_096, "split_size": 1...(1 << 31),
        "split_sizes": 1...(1 << 31), "dim": -64...63, "dim0": -64...63, "dim1": -64...63,
        "dims": -64...63, "start_dim": -64...63, "end_dim": -64...63, "pad": -4_096...4_096,
        "step": 1...(1 << 31), "divisor_override": 1...(1 << 31), "normalized_shape": 1...(1 << 31),
        "start": .min...(.max), "end": .min...(.max), "interpolation_mode": 0...2, "padding_mode": 0...2,
        "compute_mode": 0...2,
    ]

    static let words: [String: Set<String>] = [
        "approximate": ["none", "tanh"], "mode": ["constant", "reflect", "replicate", "circular"],
        "padding": ["same", "valid"], "rounding_mode": ["floor", "trunc"], "indexing": ["ij", "xy"],
    ]

    static let ranges: [String: ClosedRange<Double>] = [
        "p": 0...1, "dropout_p": 0...1, "momentum": 0...1, "eps": 0...1,
    ]

    /// Whose `p` is a norm's, and no share.
    private static let norms: Set<String> = ["aten::cdist", "aten::pairwise_distance"]

    /// What a floating-point argument may be; nil for any finite number.
    static func range(of argument: OperatorSchema.Argument, in schema: OperatorSchema) -> ClosedRange<
        Double
    >? {
        argument.name == "p" && norms.contains(schema.name) ? 0...1_000 : ranges[argument.name]
    }

    /// Why the value is not allowed; nil where it is.
    private static func refusal(
        of value: Graph.Argument, _ expected: OperatorSchema.Argument, in schema: OperatorSchema
    ) -> String? {
        switch (expected.kind, value) {
        case (_, .none):
            return expected.isOptional ? nil : "must not be None"
        case (.tensor, .tensor), (.bool, .bool), (.scalar, .bool), (.scalarType, .scalarType),
            (.device, .device):
            return nil
        case (.tensors, .tensors(let values)):
            return values.isEmpty || values.count > longestList ? "has \(values.count) tensors" : nil
        // A list without gaps is written as a plain one.
        case (.optionalTensors, .optionalTensors(let values)):
            return values.count > longestList ? "has \(values.count) tensors" : nil
        case (.floats, .floats(let numbers)):
            return numbers.count > longestList || !numbers.allSatisfy(\.isFinite)
                ? "is not finite, or too long" : nil
        case (.int, .int(let value)):
            return refusal(of: value, expected.name)
        case (.ints, .ints(let values)):
            guard values.count <= longestList else { return "has \(values.count) items" }
            if let length = expected.length, length > 1, ![0, 1, length].contains(values.count) {
                return "has \(values.count) items, not \(length)"
            }
            return values.lazy.compactMap { refusal(of: $0, expected.name) }.first
        case (.scalar, .int):
            return nil
        case (.scalar, .float(let number)):
            return number.isNaN ? "is not a number" : nil
        case (.float, .float(let number)):
            guard let range = range(of: expected, in: schema) else {
                return number.isFinite ? nil : "is not finite"
            }
            return range.contains(number)
                ? nil : "is \(number), outside \(range.lowerBound) to \(range.upperBound)"
        case (.string, .string(let word)) where expected.name == "equation":
            let isPlain =
                word.utf8.count <= 64
                && word.allSatisfy { $0.isASCII && ($0.isLetter || " ,->".contains($0)) }
            return isPlain ? nil : "is not an equation of letters, commas and an arrow"
        case (.string, .string(let word)):
            return words[expected.name]?.contains(word) == true ? nil : "has an unknown value"
        case (.memoryFormat, .memoryFormat(let format)):
            return (0...2).contains(format) ? nil : "is a memory format that is not supported"
        case (.layout, .layout(let layout)):
            return layout == 0 ? nil : "is not the strided layout"
        default:
            return "is of the wrong kind"
        }
    }

    private static func refusal(of value: Graph.SymbolicInt, _ name: String) -> String? {
        guard case .known(let number) = value else { return nil }
        return refusal(of: Dimension(Int(widened: number)), name)
    }

    /// Why an integer that was computed is not allowed; nil where it is.
    static func refusal(of value: Dimension, _ name: String) -> String? {
        let usual: ClosedRange<Int64> = -(1 << 31)...(1 << 31)
        let range = bounds[name] ?? usual
        if let number = value.known {
            return range.contains(Int64(widened: number))
                ? nil : "is \(number), outside \(range.lowerBound) to \(range.upperBound)"
        }
        return usual.contains(Int64(widened: value.batch)) && usual.contains(Int64(widened: value.constant))
            ? nil : "is \(value), beyond \(usual.lowerBound) to \(usual.upperBound)"
    }
}

extension OperatorCatalog {
    /// The node with arguments of the kinds that its signature names, where the writer left them loose:
    /// whole numbers for floats, one number for a pair, numbers for tensors (`add.Tensor` with a number
    /// becomes `add.Scalar`, which promotes types alike).
    public static func normalised(_ node: Graph.Node) -> Graph.Node {
        var node = node
        if let scalar = ["Tensor": "Scalar", "Tensor_mode": "Scalar_mode"][node.overload],
            isNumber(node.argument("other")), rule(for: node.operatorName, overload: scalar) != nil
        {
            node.overload = scalar
        }
        guard let schema = rule(for: node)?.schema else { return node }
        for index in node.arguments.indices {
            let name = node.arguments[index].name
            guard let expected = schema.arguments.first(where: { $0.name == name }) else { continue }
            switch (expected.kind, node.arguments[index].value) {
            case (.float, .int(.known(let number))):
                node.arguments[index].value = .float(Double(number))
            case (.ints, .int(let number)):
                node.arguments[index].value = .ints(Array(repeating: number, count: expected.length ?? 1))
            case (.optionalTensors, .tensors(let values)):
                node.arguments[index].value = .optionalTensors(values)
            case (.ints, .ints(let numbers)) where numbers.count == 1 && (expected.length ?? 1) > 1:
                node.arguments[index].value = .ints(
                    Array(repeating: numbers[0], count: expected.length ?? 1))
            default: break
            }
        }
        return node
    }

    private static func isNumber(_ argument: Graph.Argument?) -> Bool {
        switch argument {
        case .int(.known), .float, .bool: true
        default: false
        }
    }
}
