/// Whole numbers that nodes compute: sizes, and what arithmetic makes of them.
extension ProgramGenerator {
    private mutating func compute(_ name: String, _ target: String, _ arguments: [(String, String)]) -> String
    {
        guard made.insert(name).inserted else { return name }
        let inputs = arguments.map { "{\"name\":\"\($0.0)\",\"arg\":\($0.1),\"kind\":1}" }
        nodes.append(
            """
            {"target":"\(target)","name":"\(name)","inputs":[\(inputs.joined(separator: ","))],
            "outputs":[{"as_sym_int":{"as_name":"\(name)"}}]}
            """)
        integers.append(name)
        return name
    }

    private mutating func arithmetic(_ name: String, _ operation: String, _ a: String, _ b: String) -> String
    {
        compute(name, "_operator.\(operation)", [("a", a), ("b", b)])
    }

    func reference(_ name: String) -> String { "{\"as_sym_int\":{\"as_name\":\"\(name)\"}}" }

    private mutating func size(_ name: String, dim: Int) -> String {
        compute(
            "d\(name)\(dim)", "torch.ops.aten.sym_size.int",
            [("self", tensor(name)), ("dim", int(Int64(dim)))])
    }

    /// A number of which no node writes out: 0, below 0, the largest, the batch's size and multiples of it.
    mutating func hostile() -> String {
        let three = reference(size("x", dim: 1))
        let zero = arithmetic("zero", "sub", three, three)
        switch choices.below(8) {
        case 0, 1: return zero
        case 2: return arithmetic("below", "sub", reference(zero), int(choices.one(of: [1, 3, 1 << 31])))
        case 3: return arithmetic("large", "mul", three, int(1 << 31))
        case 4:
            let large = reference(arithmetic("large", "mul", three, int(1 << 31)))
            return arithmetic("larger", "mul", large, int(choices.one(of: [1 << 28, 1 << 29, 1 << 30])))
        case 5:
            let large = reference(arithmetic("large", "mul", three, int(1 << 31)))
            let larger = reference(arithmetic("larger", "mul", large, int(1 << 29)))
            return arithmetic("lowest", "sub", reference(zero), larger)
        case 6: return size("x", dim: 0)
        default:
            return arithmetic(
                "many", "mul", reference(size("x", dim: 0)), int(choices.one(of: [1 << 31, -1, 2])))
        }
    }

    /// A size, or what arithmetic makes of one and a number.
    mutating func computeInteger() {
        if integers.isEmpty || choices.rarely() {
            let axes = ["x": 4, "w": 4, "m": 2, "q": 2, "c": 1]
            let name = choices.one(of: ["x", "w", "m", "q", "c"])
            _ = size(name, dim: choices.below(axes[name] ?? 1))
            return
        }
        let steps: [Int64] = [1, 2, 3, 4, 8, -1, 0, 1 << 20, 1 << 30, 1 << 31, -(1 << 31)]
        let a = reference(choices.one(of: integers))
        let b = choices.rarely() ? reference(choices.one(of: integers)) : int(choices.one(of: steps))
        _ = arithmetic("s\(integers.count)", choices.one(of: ["sub", "add", "mul", "floordiv"]), a, b)
    }
}
