import Graph
import Support

/// Matrix products and normalisations.
extension ONNXTranslator {
    static let products: [String: Rule] = [
        "MatMul": { translator, operands in
            [
                try translator.emit(
                    "aten::matmul", "",
                    [
                        ("self", .tensor(translator.tensor(operands, 0))),
                        ("other", .tensor(translator.tensor(operands, 1))),
                    ], operands)
            ]
        },
        "Gemm": gemm,
        "Einsum": { translator, operands in
            let tensors = try operands.values.indices.map { try translator.tensor(operands, $0) }
            return [
                try translator.emit(
                    "aten::einsum", "",
                    [
                        ("equation", .string(operands.call.string("equation") ?? "")),
                        ("tensors", .tensors(tensors)),
                    ],
                    operands)
            ]
        },
        "Attention": attention,
    ]

    private static let gemm: Rule = { translator, operands in
        let call = operands.call
        let (alpha, beta) = (call.float("alpha") ?? 1, call.float("beta") ?? 1)
        var first = try translator.tensor(operands, 0)
        let second = try translator.tensor(operands, 1)
        if call.int("transA") ?? 0 != 0 {
            first = try translator.builder.call(
                "aten::t", "", [("self", .tensor(first))], name: "transposed")[0]
        }
        let isTransposed = call.int("transB") ?? 0 != 0
        let bias: Graph.ValueID? = operands.has(2) ? try translator.tensor(operands, 2) : nil
        let isVector = bias.map { translator.builder.shape(of: $0).count == 1 } ?? true
        if isTransposed, alpha == 1, beta == 1, isVector {
            return [
                try translator.emit(
                    "aten::linear", "",
                    [
                        ("input", .tensor(first)), ("weight", .tensor(second)),
                        ("bias", bias.map { .tensor($0) } ?? .none),
                    ], operands)
            ]
        }
        let matrix =
            isTransposed
            ? try translator.builder.call("aten::t", "", [("self", .tensor(second))], name: "transposed")[
                0]
            : second
        guard let bias else {
            let product = try translator.emit(
                "aten::mm", "", [("self", .tensor(first)), ("mat2", .tensor(matrix))], operands)
            return [alpha == 1 ? product : try translator.scaled(product, alpha, operands)]
        }
        return [
            try translator.emit(
                "aten::addmm", "",
                [
                    ("self", .tensor(bias)), ("mat1", .tensor(first)), ("mat2", .tensor(matrix)),
                    ("beta", .float(beta)),
                    ("alpha", .float(alpha)),
                ], operands)
        ]
    }

    /// Of operator set 23, over (N, heads, length, features).
    private static let attention: Rule = { translator, operands in
        let call = operands.call
        guard !operands.has(4), !operands.has(5), call.node.output.dropFirst().allSatisfy(\.isEmpty),
            call.float("softcap") ?? 0 == 0
        else { throw call.failure("Caches and soft caps are not supported.") }
        return [
            try translator.emit(
                "aten::scaled_dot_product_attention", "",
                [
                    ("query", .tensor(translator.tensor(operands, 0))),
                    ("key", .tensor(translator.tensor(operands, 1))),
                    ("value", .tensor(translator.tensor(operands, 2))),
                    ("attn_mask", operands.has(3) ? .tensor(try translator.tensor(operands, 3)) : .none),
                    ("is_causal", .bool(call.int("is_causal") ?? 0 != 0)),
                    ("scale", call.float("scale").map { .float($0) } ?? .none),
                ], operands)
        ]
    }

    static let normalisations: [String: Rule] = [
        "BatchNormalization": { translator, operands in
            let call = operands.call
            guard call.int("training_mode") ?? 0 == 0 else {
                throw ONNXFault.operator.problem(
                    "It normalises by the batch's own statistics.", at: call.location,
                    fix: "Export the model in evaluation mode, with model.eval().")
            }
            let names = ["input", "weight", "bias", "running_mean", "running_var"]
            let tensors = try names.enumerated().map { index, name in
                (name, Graph.Argument.tensor(try translator.tensor(operands, index)))
            }
            // ONNX weighs the old statistic, PyTorch the new one.
            let momentum = 1 - (call.float("momentum") ?? 0.9)
            return [
                try translator.emit(
                    "aten::batch_norm", "",
                    tensors + [
                        ("training", .bool(false)), ("momentum", .float(min(max(momentum, 0), 1))),
                        ("eps", .float(call.float("epsilon") ?? 1e-5)), ("cudnn_enabled", .bool(false)),
                    ], operands)
            ]
        },
        "InstanceNormalization": { translator, operands in
            [
                try translator.emit(
                    "aten::instance_norm", "",
                    [
                        ("input", .tensor(translator.tensor(operands, 0))),
                        ("weight", .tensor(translator.tensor(operands, 1))),
                        ("bias", .tensor(translator.tensor(operands, 2))), ("running_mean", .none),
                        ("running_var", .none), ("use_input_stats", .bool(true)), ("momentum", .float(0.1)),
                        ("eps", .float(operands.call.float("epsilon") ?? 1e-5)),
                        ("cudnn_enabled", .bool(false)),
                    ], operands)
            ]
        },
        "LayerNormalization": { translator, operands in
            try translator.overLastAxes("aten::layer_norm", operands)
        },
        "RMSNormalization": { translator, operands in
            try translator.overLastAxes("aten::rms_norm", operands)
        },
        "GroupNormalization": { translator, operands in
            let groups = operands.call.int("num_groups") ?? 0
            guard groups >= 1, operands.call.opset >= 21 else {
                throw operands.call.failure("Before operator set 21 it is not supported.")
            }
            return [
                try translator.emit(
                    "aten::group_norm", "",
                    [
                        ("input", .tensor(translator.tensor(operands, 0))), ("num_groups", int(groups)),
                        ("weight", .tensor(translator.tensor(operands, 1))),
                        ("bias", .tensor(translator.tensor(operands, 2))),
                        ("eps", .float(operands.call.float("epsilon") ?? 1e-5)),
                    ], operands)
            ]
        },
        "Softmax": softmax, "LogSoftmax": softmax,
        "LpNormalization": { translator, operands in
            let input = try operands.value(0)
            let axis = try translator.axis(
                operands.call.int("axis") ?? -1, translator.shape(input).count, operands)
            let norm = try translator.emit(
                "aten::linalg_vector_norm", "",
                [
                    ("self", .tensor(translator.tensor(input))),
                    ("ord", .float(Double(operands.call.int("p") ?? 2))),
                    ("dim", ints([axis])), ("keepdim", .bool(true)),
                ], operands)
            return [try translator.binary("aten::div", input, norm, operands)]
        },
        "LRN": localResponse,
    ]

    private mutating func overLastAxes(_ name: String, _ operands: Operands) throws -> [Value?] {
        let shape = try shape(operands, 0)
        let axis = try axis(operands.call.int("axis") ?? -1, shape.count, operands)
        let sizes = shape[axis...].compactMap(\.known)
        guard sizes.count == shape.count - axis else {
            throw operands.call.failure("It normalises over the batch.")
        }
        var arguments: [(String, Graph.Argument)] = [
            ("input", .tensor(try tensor(operands, 0))), ("normalized_shape", Self.ints(sizes)),
            ("weight", operands.has(1) ? .tensor(try tensor(operands, 1)) : .none),
        ]
        if name == "aten::layer_norm" {
            arguments.append(("bias", operands.has(2) ? .tensor(try tensor(operands, 2)) : .none))
        }
        arguments.append(("eps", .float(operands.call.float("epsilon") ?? 1e-5)))
        return [try emit(name, "", arguments, operands), nil, nil]
    }

    private static let softmax: Rule = { translator, operands in
        let shape = try translator.shape(operands, 0)
        let axis = try translator.axis(
            operands.call.int("axis") ?? (operands.call.opset >= 13 ? -1 : 1), shape.count, operands)
        // Before operator set 13 it normalised over all dimensions from the axis on.
        guard operands.call.opset >= 13 || shape[(axis + 1)...].allSatisfy({ $0 == 1 }) else {
            throw operands.call.failure("It normalises over several dimensions at once.")
        }
        let name = operands.call.name == "Softmax" ? "aten::softmax" : "aten::log_softmax"
        return [
            try translator.emit(
                name, "int", [("self", .tensor(translator.tensor(operands, 0))), ("dim", int(axis))],
                operands
            )
        ]
    }

    /// x / (bias + alpha * mean over neighbouring channels of x^2) ^ beta, with zeros beyond the channels.
    private static let localResponse: Rule = { translator, operands in
        let call = operands.call
        let shape = try translator.shape(operands, 0)
        guard let size = call.int("size"), size >= 1, size % 2 == 1, shape.count == 4,
            let pixels = Dimension.product(shape[2], shape[3])
        else { throw call.failure("Its window is even, or the input no batch of images.") }
        let input = try translator.tensor(operands, 0)
        let square = try translator.builder.call(
            "aten::square", "", [("self", .tensor(input))], name: "square")[0]
        let flat = try translator.reshape(square, [shape[0], 1, shape[1], pixels], operands)
        let mean = try translator.builder.call(
            "aten::avg_pool2d", "",
            [
                ("self", .tensor(flat)), ("kernel_size", ints([size, 1])), ("stride", ints([1, 1])),
                ("padding", ints([size / 2, 0])),
            ], name: "mean")[0]
        let back = Value.tensor(try translator.reshape(mean, shape, operands), .float32)
        let scaled = try translator.scaled(back, call.float("alpha") ?? 1e-4, operands)
        let sum = try translator.emit(
            "aten::add", "Scalar",
            [("self", .tensor(translator.tensor(scaled))), ("other", .float(call.float("bias") ?? 1))],
            operands)
        let power = try translator.emit(
            "aten::pow", "Tensor_Scalar",
            [
                ("self", .tensor(translator.tensor(sum))), ("exponent", .float(call.float("beta") ?? 0.75)),
            ],
            operands)
        return [try translator.binary("aten::div", operands.value(0), power, operands)]
    }
}
