import Graph
import Support

/// Element by element.
extension ONNXTranslator {
    private static func plain(_ name: String, type: ScalarType? = nil) -> Rule {
        { translator, operands in
            let value = try operands.value(0)
            return [
                try translator.emit(
                    name, "", [("self", .tensor(translator.tensor(value)))], operands,
                    type: type ?? translator.type(value))
            ]
        }
    }

    private static func activation(
        _ name: String, _ parameters: @escaping @Sendable (ONNXCall) -> [(String, Graph.Argument)]
    ) -> Rule {
        { translator, operands in
            let input = ("self", Graph.Argument.tensor(try translator.tensor(operands, 0)))
            return [try translator.emit(name, "", [input] + parameters(operands.call), operands)]
        }
    }

    static let activations: [String: Rule] = [
        "Relu": plain("aten::relu"), "Sigmoid": plain("aten::sigmoid"), "Tanh": plain("aten::tanh"),
        "Erf": plain("aten::erf"), "Exp": plain("aten::exp"), "Log": plain("aten::log"),
        "Sqrt": plain("aten::sqrt"),
        "Abs": plain("aten::abs"), "Neg": plain("aten::neg"), "Reciprocal": plain("aten::reciprocal"),
        "Floor": plain("aten::floor"), "Ceil": plain("aten::ceil"), "Round": plain("aten::round"),
        "Sign": plain("aten::sign"), "Sin": plain("aten::sin"), "Cos": plain("aten::cos"),
        "Softplus": plain("aten::softplus"), "Mish": plain("aten::mish"),
        "HardSwish": plain("aten::hardswish"),
        "Not": plain("aten::logical_not", type: .bool), "IsNaN": plain("aten::isnan", type: .bool),
        "Identity": { _, operands in [try operands.value(0)] },
        "LeakyRelu": activation("aten::leaky_relu") {
            [("negative_slope", .float($0.float("alpha") ?? 0.01))]
        },
        "Elu": activation("aten::elu") { [("alpha", .float($0.float("alpha") ?? 1))] },
        "Celu": activation("aten::celu") { [("alpha", .float($0.float("alpha") ?? 1))] },
        "ThresholdedRelu": activation("aten::threshold") {
            [("threshold", .float($0.float("alpha") ?? 1)), ("value", .float(0))]
        },
        "Gelu": activation("aten::gelu") {
            [("approximate", .string($0.string("approximate") ?? "none"))]
        },
        "Selu": { translator, operands in
            let call = operands.call
            let alpha = call.float("alpha") ?? 1.67326319217681884765625
            let gamma = call.float("gamma") ?? 1.05070102214813232421875
            let input = Graph.Argument.tensor(try translator.tensor(operands, 0))
            return [
                try translator.emit(
                    "aten::elu", "", [("self", input), ("alpha", .float(alpha)), ("scale", .float(gamma))],
                    operands)
            ]
        },
        "HardSigmoid": { translator, operands in
            let (alpha, beta) = (operands.call.float("alpha") ?? 0.2, operands.call.float("beta") ?? 0.5)
            let input = Graph.Argument.tensor(try translator.tensor(operands, 0))
            if abs(alpha - 1.0 / 6) < 1e-6, beta == 0.5 {
                return [try translator.emit("aten::hardsigmoid", "", [("self", input)], operands)]
            }
            var value = try translator.scaled(operands.value(0), alpha, operands)
            value = try translator.emit(
                "aten::add", "Scalar",
                [("self", .tensor(translator.tensor(value))), ("other", .float(beta))], operands)
            return [
                try translator.emit(
                    "aten::clamp", "",
                    [("self", .tensor(translator.tensor(value))), ("min", .float(0)), ("max", .float(1))],
                    operands)
            ]
        },
        "Swish": { translator, operands in
            let input = try operands.value(0)
            let alpha = operands.call.float("alpha") ?? 1
            guard alpha != 1 else {
                return [
                    try translator.emit(
                        "aten::silu", "", [("self", .tensor(translator.tensor(input)))], operands)
                ]
            }
            let gate = try translator.emit(
                "aten::sigmoid", "",
                [("self", .tensor(translator.tensor(translator.scaled(input, alpha, operands))))], operands)
            return [try translator.binary("aten::mul", input, gate, operands)]
        },
        "Softsign": { translator, operands in
            let input = try operands.value(0)
            let magnitude = try translator.emit(
                "aten::abs", "", [("self", .tensor(translator.tensor(input)))], operands)
            let divisor = try translator.emit(
                "aten::add", "Scalar",
                [("self", .tensor(translator.tensor(magnitude))), ("other", .float(1))], operands)
            return [try translator.binary("aten::div", input, divisor, operands)]
        },
        "PRelu": { translator, operands in
            let input = try operands.value(0)
            var slope = try translator.tensor(operands, 1)
            let shape = translator.builder.shape(of: slope)
            // (C, 1, 1) is one slope a channel.
            if let count = shape.elementCount?.known, shape.count > 1,
                translator.shape(input).dropFirst().first == Dimension(count) || count == 1
            {
                slope = try translator.reshape(slope, [Dimension(count)], operands)
            }
            return [
                try translator.emit(
                    "aten::prelu", "",
                    [("self", .tensor(translator.tensor(input))), ("weight", .tensor(slope))],
                    operands)
            ]
        },
        "Clip": { translator, operands in
            let low = try operands.call.float("min") ?? translator.numbers(operands, 1)?.first
            let high = try operands.call.float("max") ?? translator.numbers(operands, 2)?.first
            guard low != nil || high != nil else { return [try operands.value(0)] }
            let input = Graph.Argument.tensor(try translator.tensor(operands, 0))
            if low == 0, high == 6 {
                return [try translator.emit("aten::relu6", "", [("self", input)], operands)]
            }
            return [
                try translator.emit(
                    "aten::clamp", "",
                    [
                        ("self", input), ("min", low.map { .float($0) } ?? .none),
                        ("max", high.map { .float($0) } ?? .none),
                    ], operands)
            ]
        },
        "Dropout": { translator, operands in
            let rate = try operands.call.float("ratio") ?? translator.numbers(operands, 1)?.first ?? 0.5
            return [
                try translator.emit(
                    "aten::dropout", "",
                    [
                        ("input", .tensor(translator.tensor(operands, 0))), ("p", .float(rate)),
                        ("train", .bool(false)),
                    ], operands), nil,
            ]
        },
        "Cast": cast, "CastLike": cast,
    ]

    private static let cast: Rule = { translator, operands in
        let value = try operands.value(0)
        let wanted =
            operands.call.name == "CastLike"
            ? translator.type(try operands.value(1)) : ONNXCall.scalarType(operands.call.int("to") ?? 0)
        guard let type = wanted else {
            throw operands.call.failure("The element type is not supported.")
        }
        if translator.type(value) == type { return [value] }
        return [
            try translator.emit(
                "aten::to", "dtype",
                [("self", .tensor(translator.tensor(value))), ("dtype", .scalarType(type))],
                operands, type: type)
        ]
    }

    // MARK: Two operands

    private static func both(_ name: String, type: ScalarType? = nil) -> Rule {
        { translator, operands in
            var result = try operands.value(0)
            for index in operands.values.indices.dropFirst() {
                result = try translator.binary(name, result, operands.value(index), operands, type: type)
            }
            return [result]
        }
    }

    static let arithmetic: [String: Rule] = [
        "Add": both("aten::add"), "Sub": both("aten::sub"), "Mul": both("aten::mul"),
        "Div": both("aten::div"),
        "Sum": both("aten::add"), "Max": both("aten::maximum"), "Min": both("aten::minimum"),
        "Mean": { translator, operands in
            let sum = try both("aten::add")(&translator, operands)
            guard let value = sum.first ?? nil else { return sum }
            return [try translator.scaled(value, 1 / Double(operands.values.count), operands)]
        },
        "Mod": both("aten::fmod"), "Equal": both("aten::eq", type: .bool),
        "Greater": both("aten::gt", type: .bool),
        "GreaterOrEqual": both("aten::ge", type: .bool), "Less": both("aten::lt", type: .bool),
        "LessOrEqual": both("aten::le", type: .bool), "And": both("aten::logical_and", type: .bool),
        "Or": both("aten::logical_or", type: .bool), "Xor": both("aten::logical_xor", type: .bool),
        "Pow": { translator, operands in
            let input = try translator.tensor(operands, 0)
            guard let exponent = try translator.known(operands.value(1))?.number else {
                throw operands.call.failure("The exponent is no fixed number.")
            }
            return [
                try translator.emit(
                    "aten::pow", "Tensor_Scalar", [("self", .tensor(input)), ("exponent", .float(exponent))],
                    operands)
            ]
        },
        "Where": { translator, operands in
            let type = translator.type(try operands.value(1))
            return [
                try translator.emit(
                    "aten::where", "self",
                    [
                        ("condition", .tensor(translator.tensor(operands, 0))),
                        ("self", .tensor(translator.tensor(operands, 1))),
                        ("other", .tensor(translator.tensor(operands, 2))),
                    ], operands, type: type)
            ]
        },
    ]

    mutating func scaled(_ value: Value, _ factor: Double, _ operands: Operands) throws -> Value {
        try emit(
            "aten::mul", "Scalar", [("self", .tensor(tensor(value))), ("other", .float(factor))], operands
        )
    }

    /// A number of one element whose rank does not widen the other operand.
    private func number(_ value: Value, beside other: Value) throws -> Graph.Argument? {
        guard let known = try known(value), known.shape.count <= shape(other).count else { return nil }
        return known.argument
    }

    /// `add`, `sub`, `mul`, `div`, a comparison, or another operator of two tensors.
    mutating func binary(
        _ name: String, _ a: Value, _ b: Value, _ operands: Operands, type: ScalarType? = nil
    ) throws -> Value {
        let result = type ?? self.type(a)
        let scalars: Set = [
            "aten::add", "aten::sub", "aten::mul", "aten::div", "aten::eq", "aten::gt", "aten::ge",
            "aten::lt", "aten::le",
            "aten::fmod",
        ]
        if scalars.contains(name), let number = try number(b, beside: a) {
            return try emit(
                name, "Scalar", [("self", .tensor(tensor(a))), ("other", number)], operands, type: result)
        }
        if let number = try number(a, beside: b) {
            switch name {
            case "aten::add", "aten::mul", "aten::eq":
                return try emit(
                    name, "Scalar", [("self", .tensor(tensor(b))), ("other", number)], operands, type: result)
            case "aten::sub":
                return try emit(
                    "aten::rsub", "Scalar", [("self", .tensor(tensor(b))), ("other", number)], operands,
                    type: result)
            default: break
            }
        }
        let overload = scalars.contains(name) ? "Tensor" : ""
        return try emit(
            name, overload, [("self", .tensor(tensor(a))), ("other", .tensor(tensor(b)))], operands,
            type: result)
    }
}
