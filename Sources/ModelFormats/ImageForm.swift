import Graph
import Support

/// Brings what a program takes to what is fed here: single precision from 0 to 1, (N, channels, height, width).
///
/// Bytes, half precision and channels behind the sides are read where their meaning is plain: the program begins by
/// turning them into what is computed with.
struct ImageForm {
    private(set) var graph: Graph

    private static let layouts: Set<String> = [
        "aten::permute", "aten::contiguous", "aten::clone", "aten::alias", "aten::detach", "aten::transpose",
    ]
    private static let conversions: Set<String> = [
        "aten::to", "aten::_to_copy", "aten::div", "aten::type_as",
    ]

    init(graph: Graph) { self.graph = graph }

    /// - Throws: `Problem` `model-input`.
    mutating func normalise() throws {
        let shape = graph.imageShape
        guard shape.count == 4 else { return }
        let sizes = shape.dropFirst().compactMap { $0 }
        switch graph.imageType {
        case .float32: break
        case .float16, .bfloat16: single()
        case .uint8:
            guard isConvertedFirst else {
                throw GraphFault.input.problem(
                    "The input is uint8, and the model computes with whole numbers before it turns them into float32.",
                    fix: advice)
            }
            before("aten::mul", "Scalar", [("other", .int(.known(255)))])
        default:
            throw GraphFault.input.problem("The input is \(graph.imageType), not float32.", fix: advice)
        }
        graph.imageType = .float32
        if sizes.count == 3, (1...4).contains(sizes[2]), sizes[0] > 4 {
            before("aten::permute", "", [("dims", .ints([0, 2, 3, 1].map { .known($0) }))])
            graph.imageShape = [shape[0], sizes[2], sizes[0], sizes[1]]
        }
    }

    private var advice: String {
        "Export a model that takes images as float32, of single precision throughout: "
            + "torch.export.export(model.float().eval(), (torch.zeros(2, 3, 224, 224),), ...)"
    }

    /// Puts a call between the image and what reads it.
    private mutating func before(
        _ operatorName: String, _ overload: String, _ arguments: [(String, Graph.Argument)]
    ) {
        guard let place = graph.inputs.firstIndex(where: { $0.kind == .image }) else { return }
        let read = graph.inputs[place].value
        let image = graph.valueNames.count
        graph.valueNames.append("image.\(image)")
        graph.inputs[place].value = image
        let all = [("self", Graph.Argument.tensor(image))] + arguments
        graph.nodes.insert(
            Graph.Node(
                name: "image", operatorName: operatorName, overload: overload,
                arguments: all.map { .init(name: $0.0, value: $0.1) }, outputs: [read]), at: 0)
    }

    /// Whether all that reads the image, but for its layout, makes numbers with a point of it.
    private var isConvertedFirst: Bool {
        guard let image = graph.inputs.first(where: { $0.kind == .image })?.value else { return false }
        var bytes: Set<Graph.ValueID> = [image]
        var isRead = false
        for node in graph.nodes where node.reads.contains(where: bytes.contains) {
            isRead = true
            if Self.layouts.contains(node.operatorName) {
                bytes.formUnion(node.outputs.compactMap { $0 })
            } else {
                guard Self.conversions.contains(node.operatorName), makesFloats(node) else { return false }
            }
        }
        return isRead && !bytes.contains(graph.output)
    }

    private func makesFloats(_ node: Graph.Node) -> Bool {
        if node.operatorName == "aten::div" { return node.argument("rounding_mode") == nil }
        guard case .scalarType(let type)? = node.argument("dtype") else { return false }
        return type.isFloatingPoint
    }

    /// Half precision becomes single, also where a node asks for it.
    private mutating func single() {
        for index in graph.nodes.indices {
            for place in graph.nodes[index].arguments.indices {
                switch graph.nodes[index].arguments[place].value {
                case .scalarType(.float16), .scalarType(.bfloat16):
                    graph.nodes[index].arguments[place].value = .scalarType(.float32)
                default: break
                }
            }
        }
    }
}
