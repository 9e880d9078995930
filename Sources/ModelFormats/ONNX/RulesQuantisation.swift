import Graph
import Support

/// Whole numbers that stand for numbers with a point: pairs of QuantizeLinear and DequantizeLinear (QDQ).
///
/// Weights are brought to float32 as DequantizeLinear says. What is computed is held within the range of the whole
/// numbers and not rounded: rounding has no gradient, and changes less than half a step.
extension ONNXTranslator {
    static let quantisation: [String: Rule] = [
        "QuantizeLinear": { translator, operands in
            let quantised = try translator.scaling(operands, type: nil)
            // A weight that is trained with its quantisation in view: it stays as it is.
            if case .stored = try operands.value(0) {
                return [.quantised(try translator.tensor(operands, 0), quantised)]
            }
            guard let scale = quantised.scales.first, quantised.scales.count == 1 else {
                throw operands.call.quantised("It has a scale for each channel of what is computed.")
            }
            let zero = quantised.zeroPoints[0]
            let bounds = Quantisation.bounds(quantised.type)
            // bounded: a byte's range less a byte, or of 32 bits, as Double.
            let (low, high) = (
                Double(bounds.lowerBound) - Double(zero), Double(bounds.upperBound) - Double(zero)
            )
            let held = try translator.builder.call(
                "aten::clamp", "",
                [
                    ("self", .tensor(translator.tensor(operands, 0))), ("min", .float(low * Double(scale))),
                    ("max", .float(high * Double(scale))),
                ], name: translator.name(operands))[0]
            return [.quantised(held, quantised)]
        },
        "DequantizeLinear": { translator, operands in
            let value = try operands.value(0)
            switch value {
            case .quantised(let held, let first):
                guard try translator.scaling(operands, type: first.type) == first else {
                    throw operands.call.quantised("Its scale is another one than that of its QuantizeLinear.")
                }
                return [.tensor(held, .float32)]
            case .stored(var tensor, _) where Quantisation.types.contains(tensor.type):
                tensor.quantisation = try translator.scaling(operands, type: tensor.type)
                // Beside the whole numbers themselves, and those of other scales.
                tensor.name += ":" + (operands.call.node.output.first ?? "")
                return [.stored(tensor, translator.roles[try translator.storedName(operands)])]
            default:
                throw operands.call.quantised(
                    "It reads what is neither a weight nor the result of QuantizeLinear.")
            }
        },
    ]

    /// Scale and zero point of a node.
    /// - Parameter type: of the whole numbers; nil for that of the zero point.
    private func scaling(_ operands: Operands, type: ScalarType?) throws -> Quantisation {
        guard operands.call.int("block_size") ?? 0 == 0, let scales = try numbers(operands, 1) else {
            throw operands.call.quantised("It has a scale for each block, or none.")
        }
        let zero = try operands.has(2) ? known(operands.value(2)) : nil
        let found = type ?? zero?.type ?? .uint8
        guard zero == nil || zero?.type == found else {
            throw operands.call.quantised("Its zero point is of another type than its numbers.")
        }
        let points = zero?.knownIntegers ?? [Int](repeating: 0, count: scales.count)
        let shape = try shape(operands, 0)
        let isScalar = try shape.isEmpty || self.shape(operands, 1).isEmpty || scales.count == 1
        var axis: Int?
        if !isScalar { axis = try self.axis(operands.call.int("axis") ?? 1, shape.count, operands) }
        guard
            let quantisation = Quantisation(
                found, scales: scales, zeroPoints: points, axis: axis, shape: shape.map { $0.known ?? 0 })
        else { throw operands.call.quantised("Its scales do not fit its numbers, or these are of \(found).") }
        return quantisation
    }

    private func storedName(_ operands: Operands) throws -> String { operands.call.node.input.first ?? "" }
}

extension ONNXCall {
    static let advice =
        "Take the model as it was before it was quantised; or quantise that with pairs of QuantizeLinear and "
        + "DequantizeLinear: onnxruntime.quantization.quantize_static(\"model.onnx\", \"qdq.onnx\", reader, "
        + "quant_format=QuantFormat.QDQ)"

    func quantised(_ detail: String) -> Problem {
        ONNXFault.operator.problem(detail, at: location, fix: Self.advice)
    }

    /// Whether the operator computes with whole numbers of a quantisation.
    var isQuantised: Bool {
        name.hasPrefix("QLinear") || name.hasSuffix("Integer") || name == "DynamicQuantizeLinear"
            || name.hasPrefix("QAttention") || name.hasPrefix("QGemm")
    }
}
