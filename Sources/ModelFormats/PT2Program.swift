import Findings
import Graph
import Support

/// Reads a program (`models/*.json`) with its weights into a graph.
struct PT2Program {
    let graph: Graph
    /// What the graph's inputs but the image are fed from, by value.
    let weights: [Graph.ValueID: PT2Weights.Row]

    /// - Parameter side: the side of the square images, where it is not to be that of the program.
    init(_ document: JSONNode, table: PT2Weights, side: Int? = nil, limits: ModelLimits) throws {
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
        var (shape, type) = try Self.image(images[0].name, body)
        if let side { shape.replaceSubrange(2..., with: [side, side]) }
        let nodes = try PT2Nodes.read(body.member("nodes"), &values, limits: limits.graph)
        let output = try Self.output(signature.member("output_specs"), body, values)
        graph = Graph(
            valueNames: values.names, inputs: inputs, nodes: nodes, output: output, imageShape: shape,
            imageType: type, classes: 0)
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

    private static func image(_ name: String, _ body: JSONNode) throws -> ([Int?], ScalarType) {
        let meta = try body.member("tensor_values").member(name)
        let sizes = try meta.member("sizes").items()
        guard sizes.count == 4 else {
            throw GraphFault.input.problem(
                "The input “\(name.prefix(80))” has \(sizes.count) dimensions, not 4 (N, channels, height, width).",
                fix: ExportAdvice.text())
        }
        var shape: [Int?] = []
        for (axis, size) in sizes.enumerated() {
            let (tag, value) = try size.union()
            if tag == "as_int" {
                shape.append(try value.int())
            } else if axis == 0, try PT2Tensors.isSymbol(size) {
                shape.append(nil)
            } else {
                throw GraphFault.input.problem(
                    "Dimension \(axis) of the input is symbolic: only the batch, by itself, may be.",
                    fix: ExportAdvice.text())
            }
        }
        return (shape, try PT2Tensors.scalarType(meta.member("dtype")))
    }

    /// The logits: the only tensor that is returned, or the only one of the form (N, classes) among several.
    private static func output(
        _ specs: JSONNode, _ body: JSONNode, _ values: ValueTable
    ) throws -> Graph.ValueID {
        let fix = "Export a module whose forward returns the logits alone."
        var found: [JSONNode] = []
        for spec in try specs.items() {
            let (tag, body) = try spec.union()
            switch tag {
            case "user_output":
                let (kind, value) = try body.member("arg").union()
                if kind == "as_none" { continue }
                guard kind == "as_tensor" else {
                    throw GraphFault.output.problem(
                        "An output is of the kind “\(kind.prefix(40))”.", fix: fix)
                }
                found.append(try value.member("name"))
            // New running statistics: batch normalisation updates them by itself. A changed image is not
            // looked at afterwards.
            case "buffer_mutation", "user_input_mutation":
                _ = try values.find(body.member("arg").member("name"))
            default:
                throw GraphFault.output.problem("An output is of the kind “\(tag.prefix(40))”.", fix: fix)
            }
        }
        if found.count == 1 { return try values.find(found[0]) }
        let tensors = try body.member("tensor_values").index()
        let rows = try found.filter { name in
            guard case .array(let sizes)? = tensors[try name.string()]?["sizes"] else {
                throw name.failure("The tensor has no sizes in tensor_values.")
            }
            return sizes.count == 2
        }
        guard rows.count == 1 else {
            throw GraphFault.output.problem(
                "The model returns \(found.count) tensors, and \(rows.count) of them may be the logits.",
                fix: fix)
        }
        return try values.find(rows[0])
    }
}
