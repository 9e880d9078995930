@testable import Graph

/// The arguments of operators: tensors that fit, mostly, and numbers of which some are hostile.
extension ProgramGenerator {
    mutating func value(of argument: OperatorSchema.Argument, _ rule: OperatorRule) -> String {
        if argument.isOptional, choices.rarely(8) { return "{\"as_none\":true}" }
        switch argument.kind {
        case .tensor: return tensor(source(argument.name, rule.name))
        case .tensors: return "{\"as_tensors\":[\(list(argument, rule) { "{\"name\":\"\($0)\"}" })]}"
        case .optionalTensors:
            let gap = choices.rarely() ? "{\"as_none\":true}," : ""
            return
                "{\"as_optional_tensors\":[\(gap)\(list(argument, rule) { "{\"as_tensor\":{\"name\":\"\($0)\"}}" })]}"
        case .int: return integer(argument.name)
        case .ints: return integers(argument, rule)
        case .float, .scalar:
            if argument.kind == .scalar, choices.rarely(2) { return integer(argument.name) }
            return "{\"as_float\":\(real(choices.real(0.5)))}"
        case .floats: return "{\"as_floats\":[\(real(choices.real(2))),\(real(choices.real(2)))]}"
        case .bool: return "{\"as_bool\":\(choices.rarely(2))}"
        case .string: return "{\"as_string\":\"\(choices.one(of: Self.words[argument.name] ?? ["none"]))\"}"
        case .scalarType: return "{\"as_scalar_type\":\(choices.one(of: [7, 5, 8, 1, 12, 6, 4]))}"
        case .memoryFormat: return "{\"as_memory_format\":\(choices.one(of: [1, 2, 4]))}"
        case .layout: return "{\"as_layout\":7}"
        case .device: return "{\"as_device\":{\"type\":\"cpu\"}}"
        }
    }

    private static let words = [
        "mode": ["constant", "reflect", "replicate", "circular"], "padding": ["same", "valid"],
        "equation": ["nchw,co->nohw", "nchw,wo->ncho", "ab,bc", "ii,i->i", "nchw->"],
        "indexing": ["ij", "xy"],
        "approximate": ["none", "tanh"], "rounding_mode": ["floor", "trunc"],
    ]

    private mutating func list(
        _ argument: OperatorSchema.Argument, _ rule: OperatorRule, _ text: (String) -> String
    ) -> String {
        (0...choices.below(3)).map { _ in text(source(argument.name, rule.name)) }.joined(separator: ",")
    }

    private func real(_ number: Double) -> String {
        number.isNaN
            ? "\"NaN\"" : number.isFinite ? "\(number)" : number < 0 ? "\"-Infinity\"" : "\"Infinity\""
    }

    /// A tensor that fits the argument, mostly.
    private mutating func source(_ argument: String, _ name: String) -> String {
        if choices.rarely(4) { return choices.one(of: tensors) }
        let isLine = name.contains("1d")
        switch argument {
        case "weight":
            if name.contains("embedding") { return "q" }
            return name.contains("conv")
                ? isLine ? "k" : "w" : name.contains("linear") ? "m" : name.contains("layer") ? "l" : "c"
        case "bias": return name.contains("conv") ? "o" : name.contains("layer") ? "l" : "c"
        case "running_mean", "running_var": return "c"
        case "mat1", "mat2": return "q"
        case "indices", "index": return indices()
        case "tensors" where name.contains("meshgrid"): return "c"
        default: return isLine || name.contains("bmm") ? line() : "x"
        }
    }

    /// (N, 3, 64), of the image.
    private mutating func line() -> String {
        if made.insert("line").inserted {
            add(
                "line", "flatten.using_ints",
                [("self", tensor("x")), ("start_dim", int(2)), ("end_dim", int(3))], ["line"])
        }
        return "line"
    }

    /// 0, 1, 2 as whole numbers.
    private mutating func indices() -> String {
        if made.insert("indices").inserted {
            add(
                "indices", "arange.default",
                [("end", int(3)), ("dtype", "{\"as_scalar_type\":5}")], ["indices"])
        }
        return "indices"
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
        let usual = Self.usual[name] ?? 0
        switch choices.below(8) {
        case 5: return int(choices.number(usual))
        case 6 where !integers.isEmpty: return reference(choices.one(of: integers))
        case 7: return reference(hostile())
        default: return int(usual)
        }
    }

    private mutating func integers(_ argument: OperatorSchema.Argument, _ rule: OperatorRule) -> String {
        let counts = [
            "dim": 1, "normalized_shape": 1, "sizes": 2, "split_sizes": 1, "split_size": 1, "dims": 4,
        ]
        let count = argument.length ?? counts[argument.name] ?? (rule.name.contains("1d") ? 1 : 4)
        let sizes = (0..<max(0, count + (choices.rarely(16) ? 1 : 0))).map { listed(argument.name, $0) }
        return "{\"as_sym_ints\":[\(sizes.joined(separator: ","))]}"
    }

    private mutating func listed(_ name: String, _ place: Int) -> String {
        let sizes: [Int64] =
            ["size", "shape"].contains(name) ? [-1, 3, 8, 8] : name == "dims" ? [0, 1, 2, 3] : []
        let usual = sizes.indices.contains(place) ? sizes[place] : Self.usual[name] ?? 0
        switch choices.below(16) {
        case 12, 13: return int(choices.number(usual))
        case 14 where !integers.isEmpty: return "{\"as_name\":\"\(choices.one(of: integers))\"}"
        case 15: return "{\"as_name\":\"\(hostile())\"}"
        default: return int(usual)
        }
    }
}
