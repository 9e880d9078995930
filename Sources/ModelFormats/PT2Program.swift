import Findings
import Graph
import Support

/// Reads a program (`models/*.json`) with its weights into a graph.
struct PT2Program {
    let graph: Graph
    /// What the graph's inputs but the image are fed from, by value.
    let weights: [Graph.ValueID: PT2Weights.Row]

    /// Which of several outputs is the logits.
    let outputName: String?
    /// What the program takes; the graph takes single precision, whatever that is.
    let imageType: ScalarType
    /// Whether its weights, and what it computes, are brought to single precision.
    var isHalf: Bool { imageType == .float16 || imageType == .bfloat16 }

    /// - Parameters:
    ///   - side: the side of the square images, where it is not to be that of the program.
    ///   - images: the size of the images, where the program leaves it open.
    ///   - output: the name or number of the logits, of several outputs.
    init(
        _ document: JSONNode, table: PT2Weights, side: Int? = nil, images size: ImageSize? = nil,
        output wanted: String? = nil, limits: ModelLimits
    ) throws {
        let version = try document.member("schema_version").member("major")
        guard try version.int() == 8 else {
            throw ModelFault.version.problem(
                "The schema's major version is \(try version.int()), and only 8 is known.",
                at: version.place.text)
        }
        let module = try document.member("graph_module")
        let body = try module.member("graph")
        let signature = try module.member("signature")
        var values = ValueTable()
        var inputs: [Graph.Input] = []
        var weights: [Graph.ValueID: PT2Weights.Row] = [:]
        var images: [(id: Graph.ValueID, name: String)] = []
        var tied: [Span: Graph.ValueID] = [:]
        for spec in try signature.member("input_specs").items() {
            guard let input = try Self.input(spec) else { continue }
            guard let weight = input.weight else {
                let id = try values.define(input.value)
                images.append((id, try input.value.string()))
                inputs.append(.init(value: id, kind: .image))
                continue
            }
            guard let row = table.rows[weight.name] else {
                throw ModelFault.weights.problem(
                    "The graph reads “\(weight.name.prefix(80))”, which the table lacks.", at: spec.place.text
                )
            }
            let span = Span(row.location)
            if let id = tied[span] {
                try values.alias(input.value, id)
                continue
            }
            let id = try values.define(input.value)
            tied[span] = id
            weights[id] = row
            inputs.append(.init(value: id, kind: weight.kind))
        }
        guard images.count == 1 else {
            throw GraphFault.input.problem(
                "The model takes \(images.count) tensors, and not one batch of images.",
                fix: "Export a module whose forward takes the images alone.")
        }
        let read = try PT2Image(
            images[0].name, body, ranges: document.optional("range_constraints"), size: size)
        var shape = read.shape
        if let side { shape.replaceSubrange(2..., with: [side, side]) }
        let nodes = try PT2Nodes.read(body.member("nodes"), &values, limits: limits.graph)
        let names = try Self.outputNames(module)
        let outputs = try PT2Outputs(signature.member("output_specs"), body, values, names: names)
        let place = try outputs.choice(wanted).place()
        outputName = outputs.choice(wanted).name(of: place)
        imageType = read.type
        var image = ImageForm(
            graph: Graph(
                valueNames: values.names, inputs: inputs, nodes: nodes,
                output: try values.find(outputs.names[place]), imageShape: shape, imageType: read.type,
                classes: 0)
        )
        try image.normalise()
        graph = image.graph
        self.weights = weights
    }

    /// One weight's bytes and how they are read: two inputs of one span are tied weights.
    private struct Span: Hashable {
        var offset: Int
        var type: ScalarType
        var shape: [Int]
        var strides: [Int]

        init(_ location: WeightLocation) {
            offset = location.fileOffset
            type = location.type
            shape = location.shape
            strides = location.strides
        }
    }

    /// The value's name and what feeds it (nil for the image); nil for inputs that are no tensors.
    private static func input(
        _ spec: JSONNode
    ) throws -> (value: JSONNode, weight: (name: String, kind: Graph.InputKind)?)? {
        let (tag, body) = try spec.union()
        switch tag {
        case "parameter":
            let name = try body.member("parameter_name").string()
            return (try body.member("arg").member("name"), (name, .parameter(name: name)))
        case "buffer":
            let name = try body.member("buffer_name").string()
            return (try body.member("arg").member("name"), (name, .buffer(name: name)))
        case "tensor_constant":
            let name = try body.member("tensor_constant_name").string()
            return (try body.member("arg").member("name"), (name, .constant(name: name)))
        case "user_input":
            let (kind, value) = try body.member("arg").union()
            switch kind {
            case "as_tensor": return (try value.member("name"), nil)
            // Default arguments that were left alone.
            case "as_none", "as_bool", "as_int", "as_float", "as_string": return nil
            default:
                throw GraphFault.input.problem(
                    "The model has an input of the kind “\(kind.prefix(40))”.",
                    fix: "Export a module whose forward takes the images alone.")
            }
        case "constant_input": return nil
        default:
            throw GraphFault.input.problem(
                "The model has an input of the kind “\(tag.prefix(40))”.",
                fix: "Export a module whose forward takes the images alone.")
        }
    }

    /// Of the results, by the tree that the program gives back.
    private static func outputNames(_ module: JSONNode) throws -> [String]? {
        guard let calls = try module.optional("module_call_graph")?.items(),
            let signature = try calls.first?.optional("signature"),
            let text = try signature.optional("out_spec")?.string()
        else { return nil }
        return TreeSpecification.names(text)
    }
}
