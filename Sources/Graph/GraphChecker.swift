import Problems

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
        try checkWrites(graph)
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
                    "“\(node.qualifiedName)” is not on the list of operators that may run.", node: node,
                    fix:
                        "Export the plain model for inference (no custom operators, no control flow), or ask "
                        + "for the operator to be added.")
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

    /// Weights may not be written to, and no value through what may be a view or a copy of it, that is read
    /// again under another name.
    private static func checkWrites(_ graph: Graph) throws {
        let aliases = GraphAliases(graph)
        var kinds: [Graph.ValueID: Graph.InputKind] = [:]
        for input in graph.inputs { kinds[input.value] = input.kind }
        var lastRead: [Graph.ValueID: Int] = [graph.output: graph.nodes.count]
        for (index, node) in graph.nodes.enumerated() {
            for value in node.reads { lastRead[value] = max(index, lastRead[value] ?? 0) }
        }
        var writtenAt: [Graph.ValueID: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for case let output? in node.outputs { writtenAt[output] = index }
        }
        var families: [Graph.ValueID: [Graph.ValueID]] = [:]
        for (value, root) in aliases.roots.enumerated() { families[root, default: []].append(value) }
        for (index, node) in graph.nodes.enumerated() {
            guard OperatorCatalog.rule(for: node)?.isInPlace == true, let target = node.target else {
                continue
            }
            let root = aliases.roots[target]
            if let kind = kinds[root], kind != .image {
                throw GraphFault.weightWritten.problem(
                    "It writes to the weight “\(graph.valueNames[root])” in place.", node: node,
                    fix: "Export the model in evaluation mode, with model.eval().")
            }
            for value in families[root] ?? [] where value != target && writtenAt[value] ?? -1 < index {
                guard aliases.isView[target] || aliases.isView[value], lastRead[value] ?? -1 > index,
                    aliases.exactRoots[target] != aliases.exactRoots[value]
                else { continue }
                throw GraphFault.structure.problem(
                    "It changes “\(graph.valueNames[target])”, a view, and “\(graph.valueNames[value])” of the "
                        + "same memory is read later.", node: node,
                    fix: "Export with run_decompositions(), which makes in-place operators plain ones.")
            }
        }
    }
}
