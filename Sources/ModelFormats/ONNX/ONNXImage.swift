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
    /// As the file has it: half precision is fed, and computed, as float32.
    let declared: ScalarType

    /// - Parameter size: of the images, where the model leaves it open.
    /// - Throws: `Problem` `onnx-input`, `model-image-size`; `DeclaredSides` where a size is needed and none is given.
    init(_ info: Onnx_ValueInfoProto, size: ImageSize?) throws {
        let tensor = info.type.tensorType
        let types: [Int32: ScalarType] = [1: .float32, 2: .uint8, 10: .float16, 16: .bfloat16]
        guard info.type.hasTensorType, let declared = types[tensor.elemType] else {
            throw ONNXFault.input.problem(
                "The input “\(info.name.prefix(80))” is of none of float32, float16, bfloat16 and uint8.",
                fix:
                    "Export the model in single precision: torch.onnx.export(model.float().eval(), (images.float(),), "
                    + "\"model.onnx\", dynamo=True)")
        }
        self.declared = declared
        type = declared == .uint8 ? .uint8 : .float32
        let dims = tensor.shape.dim
        guard dims.count == 4 else {
            throw ONNXFault.input.problem(
                "The input “\(info.name.prefix(80))” has \(dims.count) dimensions, not 4 (N, channels, height, width)."
            )
        }
        let sides = dims.dropFirst().enumerated().map { axis, dim in Self.side(dim, axis: axis) }
        let known = sides.map { if case .fixed(let size) = $0 { size } else { 0 } }
        isChannelsLast = (1...4).contains(known[2]) && (known[0] > 4 || sides[0].isOpen)
        guard !sides[isChannelsLast ? 2 : 0].isOpen else {
            throw ONNXFault.input.problem(
                "The number of channels is open: only batch, height and width may be.",
                fix: "Fix it: python -m onnxruntime.tools.make_dynamic_shape_fixed --input_name "
                    + "\(info.name.prefix(80)) --input_shape 1,3,224,224 model.onnx fixed.onnx")
        }
        if case .dimValue(let size)? = dims[0].value, size >= 1 {
            batch = Int(widened: size)
        } else {
            batch = nil
        }
        let open = DeclaredSides(
            height: sides[isChannelsLast ? 0 : 1], width: sides[isChannelsLast ? 1 : 2])
        guard !open.areOpen || size != nil else { throw open }
        let found = try open.resolved(size ?? ImageSize(height: 0, width: 0))
        sizes = [known[isChannelsLast ? 2 : 0], found.height, found.width]
    }

    /// What is no size from 1 on is open; a name stands for the same size wherever it is.
    private static func side(_ dim: Onnx_TensorShapeProto.Dimension, axis: Int) -> DeclaredSide {
        switch dim.value {
        case .dimValue(let size)? where DeclaredSides.all.contains(Int(widened: size)):
            .fixed(Int(widened: size))
        case .dimParam(let name)? where !name.isEmpty:
            .open(symbol: name, factor: 1, range: DeclaredSides.all)
        default: .open(symbol: "axis \(axis)", factor: 1, range: DeclaredSides.all)
        }
    }

    /// Bytes are fed as numbers with a point: the same wherever the model casts them before it computes.
    /// - Throws: `Problem` `onnx-input`.
    func requireConvertedFirst(_ name: String, _ graph: Onnx_GraphProto) throws {
        var bytes: Set<String> = [name]
        for node in graph.node where node.input.contains(where: bytes.contains) {
            switch node.opType {
            case "Transpose", "Identity": bytes.formUnion(node.output)
            case "Cast" where [1, 10, 11, 16].contains(node.attribute.first { $0.name == "to" }?.i ?? 0):
                continue
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
