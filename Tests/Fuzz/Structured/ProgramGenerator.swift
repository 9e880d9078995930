import ZipFixtures

@testable import Graph

/// Programs of `.pt2` files: operators of the table on tensors of known shapes, numbers that are written out or
/// computed by nodes, and a sound head, to which every result is added, so that none of the nodes is dead.
struct ProgramGenerator {
    private struct Tensor {
        var name: String
        var shape: [Int]
    }

    private var choices: Choices
    private var nodes: [String] = []
    private var integers: [String] = []
    private var tensors = Self.weights + [Tensor(name: "x", shape: [0, 3, 8, 8])]
    private var logits = "linear"

    private static let rules = OperatorCatalog.all.filter { $0.name.hasPrefix("aten::") }

    /// What sizes are changed by: few and many, within what is written out in programs.
    private static let steps: [Int64] = [1, 2, 3, 4, 8, -1, 0, 1 << 20, 1 << 30, 1 << 31, -(1 << 31)]

    /// Those that take whole numbers.
    private static let counting = rules.filter {
        $0.schema.arguments.contains { $0.kind == .int || $0.kind == .ints }
    }

    private static let weights = [
        Tensor(name: "w", shape: [4, 3, 3, 3]), Tensor(name: "m", shape: [10, 192]),
        Tensor(name: "c", shape: [3]),
        Tensor(name: "o", shape: [4]), Tensor(name: "l", shape: [8]), Tensor(name: "q", shape: [8, 8]),
    ]

    static func model(_ input: Input) -> [UInt8] {
        var generator = ProgramGenerator(choices: Choices(input))
        return generator.build()
    }

    private init(choices: Choices) { self.choices = choices }

    private mutating func build() -> [UInt8] {
        add("flatten", "flatten.using_ints", [("self", tensor("x")), ("start_dim", int(1))], ["flat"])
        add("linear", "linear.default", [("input", tensor("flat")), ("weight", tensor("m"))], ["linear"])
        for _ in 0..<(1 + choices.below(5)) { computeInteger() }
        for index in 0...choices.below(4) { call(index) }
        var model = TinyModel()
        model.program = program
        model.weights =
            "{\"config\": {"
            + Self.weights.map {
                TinyModel.row($0.name, "weight_\($0.name)", $0.shape, WeightsOf.strides($0.shape))
            }.joined(separator: ",") + "}}"
        model.others = Self.weights.map { tensor in
            ZipBuilder.Entry(
                "m/data/weights/weight_\(tensor.name)",
                [UInt8](repeating: 0, count: 4 * tensor.shape.reduce(1, *)))
        }
        return model.build()
    }

    private var program: String {
        let specs = Self.weights.map {
            "{\"parameter\":{\"arg\":{\"name\":\"\($0.name)\"},\"parameter_name\":\"\($0.name)\"}}"
        }
        return """
            {"graph_module":{"graph":{"inputs":[],"outputs":[],"nodes":[\(nodes.joined(separator: ","))],
            "tensor_values":{"x":{"dtype":7,"sizes":[{"as_expr":{"expr_str":"s0"}},{"as_int":3},{"as_int":8},
            {"as_int":8}]}}},"signature":{"input_specs":[\(specs.joined(separator: ",")),
            {"user_input":{"arg":{"as_tensor":{"name":"x"}}}}],
            "output_specs":[{"user_output":{"arg":{"as_tensor":{"name":"\(logits)"}}}}]}},
            "schema_version":{"major":8}}
            """
    }

    private func tensor(_ name: String) -> String { "{\"as_tensor\":{\"name\":\"\(name)\"}}" }
    private func int(_ number: Int64) -> String { "{\"as_int\":\(number)}" }

    private mutating func add(
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

    /// A size, or what arithmetic makes of one and a number.
    private mutating func computeInteger() {
        let name = "s\(integers.count)"
        var (target, inputs) = ("", "")
        if integers.count > 0, choices.rarely(3) {
            // 0, which nothing writes out.
            let size = "{\"as_sym_int\":{\"as_name\":\"\(choices.one(of: integers))\"}}"
            target = "_operator.sub"
            inputs = "{\"name\":\"a\",\"arg\":\(size),\"kind\":1},{\"name\":\"b\",\"arg\":\(size),\"kind\":1}"
        } else if integers.isEmpty || choices.rarely() {
            let source = choices.one(of: tensors)
            target = "torch.ops.aten.sym_size.int"
            inputs = """
                {"name":"self","arg":\(tensor(source.name)),"kind":1},
                {"name":"dim","arg":\(int(Int64(choices.below(source.shape.count)))),"kind":1}
                """
        } else {
            target = "_operator." + choices.one(of: ["sub", "add", "mul", "floordiv"])
            let a = "{\"as_sym_int\":{\"as_name\":\"\(choices.one(of: integers))\"}}"
            let b =
                choices.rarely()
                ? "{\"as_sym_int\":{\"as_name\":\"\(choices.one(of: integers))\"}}"
                : int(choices.one(of: Self.steps))
            inputs = "{\"name\":\"a\",\"arg\":\(a),\"kind\":1},{\"name\":\"b\",\"arg\":\(b),\"kind\":1}"
        }
        nodes.append(
            "{\"target\":\"\(target)\",\"name\":\"\(name)\",\"inputs\":[\(inputs)],"
                + "\"outputs\":[{\"as_sym_int\":{\"as_name\":\"\(name)\"}}]}")
        integers.append(name)
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
        tensors.append(Tensor(name: names[0], shape: [0, 3, 8, 8]))
        add("sum\(index)", "sum.default", [("self", tensor(names[0]))], ["sum\(index)"])
        add(
            "add\(index)", "add.Tensor", [("self", tensor(logits)), ("other", tensor("sum\(index)"))],
            ["add\(index)"])
        logits = "add\(index)"
    }

    private mutating func value(of argument: OperatorSchema.Argument, _ rule: OperatorRule) -> String {
        if argument.isOptional, choices.rarely(8) { return "{\"as_none\":true}" }
        switch argument.kind {
        case .tensor: return tensor(source(argument.name, rule.name))
        case .tensors, .optionalTensors:
            let list = (0...choices.below(3)).map { _ in "{\"name\":\"\(source(argument.name, rule.name))\"}"
            }
            return "{\"as_tensors\":[\(list.joined(separator: ","))]}"
        case .int: return integer(argument.name)
        case .ints:
            let usual = [
                "dim": 1, "normalized_shape": 1, "sizes": 2, "split_sizes": 1, "split_size": 1, "dims": 4,
            ]
            let count = argument.length ?? usual[argument.name] ?? (rule.name.contains("1d") ? 1 : 4)
            let sizes = (0..<max(0, count + (choices.rarely(16) ? 1 : 0))).map { listed(argument.name, $0) }
            return "{\"as_sym_ints\":[\(sizes.joined(separator: ","))]}"
        case .float, .scalar:
            if argument.kind == .scalar, choices.rarely(2) { return integer(argument.name) }
            return "{\"as_float\":\(real(choices.real(0.5)))}"
        case .floats: return "{\"as_floats\":[\(real(choices.real(2))),\(real(choices.real(2)))]}"
        case .bool: return "{\"as_bool\":\(choices.rarely(2))}"
        case .string:
            let words = [
                "mode": "constant", "padding": "same", "equation": "nchw,co->nohw", "indexing": "ij",
            ]
            return "{\"as_string\":\"\(words[argument.name] ?? "none")\"}"
        case .scalarType: return "{\"as_scalar_type\":7}"
        case .memoryFormat: return "{\"as_memory_format\":1}"
        case .layout: return "{\"as_layout\":7}"
        case .device: return "{\"as_device\":{\"type\":\"cpu\"}}"
        }
    }

    private func real(_ number: Double) -> String {
        number.isNaN
            ? "\"NaN\"" : number.isFinite ? "\(number)" : number < 0 ? "\"-Infinity\"" : "\"Infinity\""
    }

    /// A tensor that fits the argument, mostly.
    private mutating func source(_ argument: String, _ name: String) -> String {
        if choices.rarely(4) { return choices.one(of: tensors).name }
        switch argument {
        case "weight":
            return name.contains("conv")
                ? "w" : name.contains("linear") ? "m" : name.contains("layer") ? "l" : "c"
        case "bias": return name.contains("conv") ? "o" : name.contains("layer") ? "l" : "c"
        case "running_mean", "running_var": return "c"
        case "mat1", "mat2": return "q"
        default: return "x"
        }
    }

    private static let usual: [String: Int64] = [
        "kernel_size": 2, "stride": 1, "dilation": 1, "groups": 1, "num_groups": 3, "group": 3,
        "output_size": 2,
        "chunks": 1, "split_size": 3, "split_sizes": 3, "dim": 1, "dim0": 1, "dim1": 2, "axis0": 1,
        "axis1": 2, "end": 2,
        "step": 1, "length": 1, "repeats": 1, "normalized_shape": 8, "start_dim": 1, "end_dim": 2,
        "upscale_factor": 1,
        "downscale_factor": 2, "sizes": 2, "HxW": 64, "C": 3, "N": 1,
    ]

    private mutating func integer(_ name: String) -> String {
        if !integers.isEmpty, name != "dim", choices.rarely(2) {
            return "{\"as_sym_int\":{\"as_name\":\"\(choices.one(of: integers))\"}}"
        }
        return int(choices.rarely(4) ? choices.number(Self.usual[name] ?? 0) : Self.usual[name] ?? 0)
    }

    private mutating func listed(_ name: String, _ place: Int) -> String {
        if !integers.isEmpty, name != "dim", choices.rarely(3) {
            return "{\"as_name\":\"\(choices.one(of: integers))\"}"
        }
        let sizes: [Int64] =
            ["size", "shape"].contains(name) ? [-1, 3, 8, 8] : name == "dims" ? [0, 1, 2, 3] : []
        let usual = sizes.indices.contains(place) ? sizes[place] : Self.usual[name] ?? 0
        return "{\"as_int\":\(choices.number(usual))}"
    }
}

/// Strides of small, sound weights.
enum WeightsOf {
    static func strides(_ shape: [Int]) -> [Int] {
        shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    }
}
