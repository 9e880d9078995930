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

    init(_ info: Onnx_ValueInfoProto) throws {
        let tensor = info.type.tensorType
        guard info.type.hasTensorType, tensor.elemType == 1 else {
            throw ONNXFault.input.problem("The input “\(info.name.prefix(80))” is not of float32.")
        }
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
}
