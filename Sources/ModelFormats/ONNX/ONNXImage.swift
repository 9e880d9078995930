import Graph
import Support

/// The input of an ONNX classifier.
struct ONNXImage {
    /// Nil where it is open.
    let batch: Int?
    /// Channels, height, width.
    let sizes: [Int]
    /// The model takes (N, height, width, channels), as TensorFlow's do.
    let isChannelsLast: Bool
    /// float32, or uint8: bytes, which the model turns into numbers with a point.
    let type: ScalarType

    init(_ info: Onnx_ValueInfoProto) throws {
        let tensor = info.type.tensorType
        guard info.type.hasTensorType, tensor.elemType == 1 || tensor.elemType == 2 else {
            let isHalf = [10, 16].contains(tensor.elemType)
            throw ONNXFault.input.problem(
                "The input “\(info.name.prefix(80))” is \(isHalf ? "of half precision" : "not of float32").",
                fix: isHalf
                    ? "Export the model in single precision: torch.onnx.export(model.float().eval(), (images.float(),), "
                        + "\"model.onnx\", dynamo=True)" : nil)
        }
        type = tensor.elemType == 2 ? .uint8 : .float32
        let dims = tensor.shape.dim
        guard dims.count == 4 else {
            throw ONNXFault.input.problem(
                "The input “\(info.name.prefix(80))” has \(dims.count) dimensions, not 4 (N, channels, height, width)."
            )
        }
        var known: [Int] = []
        for (axis, dim) in dims.enumerated().dropFirst() {
            guard case .dimValue(let size)? = dim.value, (1...65_536).contains(size) else {
                throw ONNXFault.input.problem(
                    "Dimension \(axis) of the input is not fixed: only the batch may be open.",
                    fix:
                        "Fix it: python -m onnxruntime.tools.make_dynamic_shape_fixed --dim_param NAME --dim_value SIZE "
                        + "model.onnx fixed.onnx")
            }
            known.append(Int(widened: size))
        }
        if case .dimValue(let size)? = dims[0].value, size >= 1 {
            batch = Int(widened: size)
        } else {
            batch = nil
        }
        isChannelsLast = (1...4).contains(known[2]) && known[0] > 4
        sizes = isChannelsLast ? [known[2], known[0], known[1]] : known
    }

    /// Bytes are fed as numbers with a point: the same wherever the model casts them before it computes.
    /// - Throws: `Problem` `onnx-input`.
    func requireConvertedFirst(_ name: String, _ graph: Onnx_GraphProto) throws {
        var bytes: Set<String> = [name]
        for node in graph.node where node.input.contains(where: bytes.contains) {
            switch node.opType {
            case "Transpose", "Identity": bytes.formUnion(node.output)
            case "Cast" where [1, 11].contains(node.attribute.first { $0.name == "to" }?.i ?? 0): continue
            default:
                throw ONNXFault.input.problem(
                    "The input “\(name.prefix(80))” is of uint8, and “\(node.opType.prefix(40))” computes with whole "
                        + "numbers before a Cast to float.",
                    fix: "Export a model that takes float32, or casts its input first (images.float() / 255)."
                )
            }
        }
    }
}
