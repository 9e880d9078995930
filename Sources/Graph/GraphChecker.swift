import Support

/// A graph that has been checked, and what it costs.
public struct CheckedGraph: Hashable, Sendable {
    /// With a dynamic batch, and its number of classes set.
    public var graph: Graph
    /// By value; nil for integers.
    public var shapes: [Shape?]
    /// Elements of all intermediate values for one image.
    public var elements: Int
    /// Multiply-adds of one forward pass of one image.
    public var multiplyAdds: Int
}

/// Establishes what the executor relies on: every value written once before it is read, allowed operators
/// with allowed arguments, shapes that fit together for every batch size, no writes to weights, bounded
/// memory and time.
public enum GraphChecker {
    /// - Parameters:
    ///   - graph: as read, or simplified.
    ///   - weightShapes: the shape of every input but the image, by value.
    /// - Throws: `Problem` (`model-…`) that names the node.
    public static func check(
        _ graph: Graph, weightShapes: [Graph.ValueID: [Int]], limits: GraphLimits = GraphLimits()
    ) throws -> CheckedGraph {
        try checkStructure(graph, limits: limits)
        try GraphWrites.check(graph)
        var inference = try ShapeInference(graph, weightShapes: weightShapes, limits: limits)
        return try inference.run()
    }

    /// Counts, single assignment, operators and arguments; not the shapes.
    public static func checkStructure(_ graph: Graph, limits: GraphLimits = GraphLimits()) throws {
        guard graph.nodes.count <= limits.maximumNodes, graph.valueNames.count <= limits.maximumValues else {
            throw GraphFault.tooLarge.problem(
                "The graph has \(graph.nodes.count) nodes and \(graph.valueNames.count) values; at most "
                    + "\(limits.maximumNodes) and \(limits.maximumValues) are allowed.")
        }
        var isWritten = Array(repeating: false, count: graph.valueNames.count)
        func write(_ value: Graph.ValueID, _ node: Graph.Node?) throws {
            guard isWritten.indices.contains(value), !isWritten[value] else {
                let name = isWritten.indices.contains(value) ? graph.valueNames[value] : "number \(value)"
                throw GraphFault.structure.problem("The value “\(name)” is written twice.", node: node)
            }
            isWritten[value] = true
        }
        for input in graph.inputs { try write(input.value, nil) }
        guard graph.inputs.filter({ $0.kind == .image }).count == 1 else {
            throw GraphFault.input.problem("The graph has not exactly one image input.")
        }
        for node in graph.nodes {
            guard let rule = OperatorCatalog.rule(for: node) else {
                throw GraphFault.operator.problem(
                    "“\(node.qualifiedName)” is not on the list of operators that may run.", node: node)
            }
            for value in node.reads {
                guard isWritten.indices.contains(value), isWritten[value] else {
                    let name = isWritten.indices.contains(value) ? graph.valueNames[value] : "number \(value)"
                    throw GraphFault.structure.problem(
                        "It reads “\(name)” before it is written: the nodes are out of order or form a cycle.",
                        node: node)
                }
            }
            try rule.checkArguments(of: node)
            for case let output? in node.outputs { try write(output, node) }
        }
        guard isWritten.indices.contains(graph.output), isWritten[graph.output] else {
            throw GraphFault.structure.problem("The output is never written.")
        }
    }
}
