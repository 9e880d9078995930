import ZipFixtures

@testable import Graph

/// Programs of `.pt2` files: operators of the table on tensors of known shapes, numbers that are written out or
/// computed by nodes, and a sound head, to which every result is added, so that none of the nodes is dead.
struct ProgramGenerator {
    var choices: Choices
    var nodes: [String] = []
    var integers: [String] = []
    var tensors = weights.map(\.name) + ["x"]
    private var logits = "linear"
    /// Integers and tensors of the nodes made so far, by what they are.
    var made: Set<String> = []

    private static let rules = OperatorCatalog.all.filter { $0.name.hasPrefix("aten::") }

    /// Those that take whole numbers.
    private static let counting = rules.filter {
        $0.schema.arguments.contains { $0.kind == .int || $0.kind == .ints || $0.kind == .scalar }
    }

    private static let weights: [(name: String, shape: [Int64])] = [
        ("w", [4, 3, 3, 3]), ("m", [10, 192]), ("c", [3]), ("o", [4]), ("l", [8]), ("q", [8, 8]),
        ("k", [4, 3, 3]),
    ]

    static func model(_ input: Input) -> [UInt8] {
        var generator = ProgramGenerator(choices: Choices(input))
        return generator.build()
    }

    private init(choices: Choices) { self.choices = choices }

    private mutating func build() -> [UInt8] {
        add("flatten", "flatten.using_ints", [("self", tensor("x")), ("start_dim", int(1))], ["flat"])
        add("linear", "linear.default", [("input", tensor("flat")), ("weight", tensor("m"))], ["linear"])
        for _ in 0..<choices.below(3) { computeInteger() }
        for index in 0..<choices.below(4) { call(index) }
        var model = TinyModel()
        let image = [3, 8, 8].map { choices.rarely(16) ? choices.number($0) : $0 }
        model.program = program(image: image)
        let lying = choices.rarely(8) ? choices.below(Self.weights.count) : -1
        let rows = Self.weights.enumerated().map { row($1.name, Self.file($0), $1.shape, lies: $0 == lying) }
        model.weights = "{\"config\": {\(rows.joined(separator: ","))}}"
        model.others = Self.weights.enumerated().map { index, weight in
            ZipBuilder.Entry(
                "m/data/weights/" + Self.file(index),
                [UInt8](repeating: 0, count: Int(4 * weight.shape.reduce(1, *))))
        }
        return model.build()
    }

    /// Beside those of `TinyModel`.
    private static func file(_ index: Int) -> String { "weight_\(3 + index)" }

    private func program(image: [Int64]) -> String {
        let specs = Self.weights.map {
            "{\"parameter\":{\"arg\":{\"name\":\"\($0.name)\"},\"parameter_name\":\"\($0.name)\"}}"
        }
        let sizes = image.map { "{\"as_int\":\($0)}" }.joined(separator: ",")
        return """
            {"graph_module":{"graph":{"inputs":[],"outputs":[],"nodes":[\(nodes.joined(separator: ","))],
            "tensor_values":{"x":{"dtype":7,"sizes":[{"as_expr":{"expr_str":"s0"}},\(sizes)]}}},
            "signature":{"input_specs":[\(specs.joined(separator: ",")),
            {"user_input":{"arg":{"as_tensor":{"name":"x"}}}}],
            "output_specs":[{"user_output":{"arg":{"as_tensor":{"name":"\(logits)"}}}}]}},
            "schema_version":{"major":8}}
            """
    }

    /// A weight's row of the table, with sizes, strides and place that may be wrong.
    private mutating func row(_ name: String, _ file: String, _ shape: [Int64], lies: Bool) -> String {
        func list(_ numbers: [Int64]) -> String {
            numbers.map { "{\"as_int\":\($0)}" }.joined(separator: ",")
        }
        let strides = WeightsOf.strides(shape)
        let sizes = lies ? choices.shape(shape) : shape
        let steps = lies ? strides.map { choices.number($0) } : strides
        let offset = lies ? choices.number(0) : 0
        return """
            "\(name)":{"path_name":"\(file)","is_param":true,"use_pickle":false,"tensor_meta":{"dtype":7,
            "sizes":[\(list(sizes))],"requires_grad":true,"device":{"type":"cpu","index":null},
            "strides":[\(list(steps))],"storage_offset":{"as_int":\(offset)},"layout":7}}
            """
    }

    // MARK: Nodes

    func tensor(_ name: String) -> String { "{\"as_tensor\":{\"name\":\"\(name)\"}}" }
    func int(_ number: Int64) -> String { "{\"as_int\":\(number)}" }

    mutating func add(
        _ name: String, _ target: String, _ arguments: [(String, String)], _ outputs: [String],
        isList: Bool = false
    ) {
        let inputs = arguments.map { "{\"name\":\"\($0.0)\",\"arg\":\($0.1),\"kind\":1}" }
        let names = outputs.map { "{\"name\":\"\($0)\"}" }
        let results =
            isList
            ? "{\"as_tensors\":[\(names.joined(separator: ","))]}"
            : names.map { "{\"as_tensor\":\($0)}" }.joined(separator: ",")
        nodes.append(
            """
            {"target":"torch.ops.aten.\(target)","name":"\(name)","inputs":[\(inputs.joined(separator: ","))],
            "outputs":[\(results)]}
            """)
    }

    /// An operator of the table, and its first result in the logits.
    private mutating func call(_ index: Int) {
        let rules = choices.rarely(3) ? Self.rules : Self.counting
        let rule = rules[(choices.below(256) << 8 | choices.below(256)) % rules.count]
        var arguments: [(String, String)] = []
        for argument in rule.schema.arguments {
            guard argument.defaultValue == .required || argument.name == "dim" || choices.rarely(2) else {
                continue
            }
            arguments.append((argument.name, value(of: argument, rule)))
        }
        let isList = rule.schema.resultCount == nil
        let count = isList ? [1, 3, 2, 8][choices.below(4)] : rule.schema.resultCount ?? 1
        let names = (0..<count).map { "r\(index)_\($0)" }
        let overload = rule.overload.isEmpty ? "default" : rule.overload
        add(names[0], "\(rule.name.dropFirst(6)).\(overload)", arguments, names, isList: isList)
        tensors.append(names[0])
        add("sum\(index)", "sum.default", [("self", tensor(names[0]))], ["sum\(index)"])
        add(
            "add\(index)", "add.Tensor", [("self", tensor(logits)), ("other", tensor("sum\(index)"))],
            ["add\(index)"])
        logits = "add\(index)"
    }
}

/// Strides of small, sound weights.
enum WeightsOf {
    static func strides(_ shape: [Int64]) -> [Int64] {
        shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    }
}
