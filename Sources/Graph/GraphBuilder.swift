import Support

/// Builds a graph call by call, every value's shape known as soon as it is there: for formats whose operators
/// have to be translated into those of `OperatorCatalog`.
///
/// The shapes guide the translation only; what was built goes through `GraphChecker` like any other graph.
public struct GraphBuilder {
    public private(set) var nodes: [Graph.Node] = []
    private var valueNames: [String] = []
    private var inputs: [Graph.Input] = []
    private var values: [OperatorCall.Value?] = []
    private var sizes: [Dimension: Graph.ValueID] = [:]
    private var image: Graph.ValueID?
    private let limits: GraphLimits
    /// Of all values, for one image.
    private var elements = 0

    public init(limits: GraphLimits = GraphLimits()) { self.limits = limits }

    /// A new input of the graph; the batch size of an image is left open.
    public mutating func input(_ name: String, _ kind: Graph.InputKind, shape: Shape) throws -> Graph.ValueID
    {
        let value = try define(name, .tensor(shape))
        inputs.append(.init(value: value, kind: kind))
        if kind == .image { image = value }
        return value
    }

    /// The shape of a tensor.
    public func shape(of value: Graph.ValueID) -> Shape {
        if case .tensor(let shape)? = values[value] { shape } else { [] }
    }

    /// Appends a call, and gives its results.
    /// - Throws: `Problem` (`model-…`) when the operator, its arguments or shapes are not allowed.
    public mutating func call(
        _ operatorName: String, _ overload: String = "", _ arguments: [(String, Graph.Argument)],
        name: String,
        results: Int = 1
    ) throws -> [Graph.ValueID] {
        var node = Graph.Node(
            name: name, operatorName: operatorName, overload: overload,
            arguments: arguments.map { .init(name: $0.0, value: $0.1) },
            outputs: Array(repeating: nil, count: results))
        guard nodes.count < limits.maximumNodes else {
            throw GraphFault.tooLarge.problem("It needs more than \(limits.maximumNodes) nodes.")
        }
        guard let rule = OperatorCatalog.rule(for: node) else {
            throw GraphFault.operator.problem("It is not allowed.", node: node)
        }
        try rule.checkArguments(of: node)
        let shapes = try shapes(node, rule)
        guard shapes.count == results else {
            throw GraphFault.structure.problem("It has \(shapes.count) results, not \(results).", node: node)
        }
        let isSymbolic = operatorName.hasPrefix("sym::")
        for shape in shapes where !isSymbolic {
            let count = try limits.elements(shape, of: node)
            try limits.add(count, to: &elements, limit: limits.maximumTotalElements, "elements", node)
        }
        let outputs = try shapes.enumerated().map { index, shape in
            try define(
                results == 1 ? name : "\(name).\(index)", isSymbolic ? .integer(shape[0]) : .tensor(shape))
        }
        node.outputs = outputs
        nodes.append(node)
        return outputs
    }

    /// A size as an argument: itself where it is known, else computed from the image's batch size.
    public mutating func size(_ dimension: Dimension) throws -> Graph.SymbolicInt {
        if let known = dimension.known { return .known(Int64(widened: known)) }
        if let value = sizes[dimension] { return .computed(value) }
        guard let image else { throw GraphFault.structure.problem("There is no image to take sizes from.") }
        var value: Graph.ValueID
        if let batch = sizes[.batchSize] {
            value = batch
        } else {
            value = try call(
                "sym::size", "", [("self", .tensor(image)), ("dim", .int(.known(0)))], name: "batch_size")[0]
            sizes[.batchSize] = value
        }
        if dimension.batch != 1 {
            value = try arithmetic("sym::mul", value, dimension.batch)
        }
        if dimension.constant != 0 {
            value = try arithmetic("sym::add", value, dimension.constant)
        }
        sizes[dimension] = value
        return .computed(value)
    }

    private mutating func arithmetic(
        _ name: String, _ value: Graph.ValueID, _ number: Int
    ) throws -> Graph.ValueID {
        try call(
            name, "", [("a", .int(.computed(value))), ("b", .int(.known(Int64(widened: number))))],
            name: "size")[0]
    }

    /// - Parameter imageShape: N, C, H, W; nil for a batch size that is open.
    public func graph(output: Graph.ValueID, imageShape: [Int?]) -> Graph {
        Graph(
            valueNames: valueNames, inputs: inputs, nodes: nodes, output: output, imageShape: imageShape,
            imageType: .float32, classes: 0)
    }

    private mutating func define(_ name: String, _ value: OperatorCall.Value) throws -> Graph.ValueID {
        guard valueNames.count < limits.maximumValues else {
            throw GraphFault.tooLarge.problem("It needs more than \(limits.maximumValues) values.")
        }
        if case .tensor(let shape) = value, shape.count > limits.maximumRank {
            throw GraphFault.tooLarge.problem("The rank of “\(name.prefix(80))” is \(shape.count).")
        }
        valueNames.append(name)
        values.append(value)
        return values.count - 1
    }

    /// The call shares `values`, and is gone before they change, so that they are not copied.
    private func shapes(_ node: Graph.Node, _ rule: OperatorRule) throws -> [Shape] {
        var call = OperatorCall(node: node, schema: rule.schema, values: values)
        try call.checkComputedIntegers()
        return try rule.shapes(&call)
    }
}
