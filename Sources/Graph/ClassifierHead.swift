/// The end of a classifier brought to one form: a row of logits for each image.
///
/// - Probabilities give way to the logits that they are made of: gradients vanish where a softmax saturates, and
///   training applies the softmax itself.
/// - One logit z of a binary classifier becomes the two logits (0, z): their softmax is (1 - sigmoid(z),
///   sigmoid(z)), and their cross entropy is the binary one of z.
struct ClassifierHead {
    private(set) var graph: Graph
    private let shapes: [Shape?]
    /// By value: the node whose first result it is.
    private let producers: [Graph.ValueID: Int]
    /// Nodes that were appended to the graph.
    private(set) var added: [Graph.Node] = []

    init(graph: Graph, shapes: [Shape?]) {
        self.graph = graph
        self.shapes = shapes
        producers = Dictionary(
            graph.nodes.indices.compactMap { index in
                graph.nodes[index].outputs.first.flatMap { $0 }.map { ($0, index) }
            }, uniquingKeysWith: { $1 })
    }

    mutating func normalise() {
        var output = graph.output
        var isSingle = false
        if let shape = shapes[output], shape == [.batchSize] || shape == [.batchSize, 1] {
            isSingle = true
            output = behindReshapes(output)
        }
        if let node = producer(of: output), let input = node.target, let shape = shapes[input],
            node.operatorName == "aten::sigmoid" || (isSoftmax(node, rank: shape.count) && !isSingle)
        {
            output = isSingle ? behindReshapes(input) : input
        }
        guard isSingle, let shape = shapes[output], shape == [.batchSize] || shape == [.batchSize, 1] else {
            graph.output = output
            return
        }
        if shape.count == 1 {
            output = append("aten::unsqueeze", [("self", .tensor(output)), ("dim", .int(.known(1)))])
        }
        let zeros = append("aten::zeros_like", [("self", .tensor(output))])
        graph.output = append(
            "aten::cat", [("tensors", .tensors([zeros, output])), ("dim", .int(.known(1)))])
    }

    private func producer(of value: Graph.ValueID) -> Graph.Node? {
        producers[value].map { graph.nodes[$0] }
    }

    /// What a (N) or (N, 1) value was before it was given that shape.
    private func behindReshapes(_ value: Graph.ValueID) -> Graph.ValueID {
        var value = value
        while let node = producer(of: value), let input = node.target, let shape = shapes[input],
            ["aten::squeeze", "aten::reshape", "aten::flatten", "aten::select"].contains(node.operatorName),
            shape == [.batchSize] || shape == [.batchSize, 1]
        { value = input }
        return value
    }

    private func isSoftmax(_ node: Graph.Node, rank: Int) -> Bool {
        guard ["aten::softmax", "aten::_softmax"].contains(node.operatorName), rank == 2,
            case .int(.known(let axis))? = node.argument("dim")
        else { return false }
        return axis == 1 || axis == -1
    }

    private mutating func append(
        _ operatorName: String, _ arguments: [(String, Graph.Argument)]
    ) -> Graph.ValueID {
        let value = graph.valueNames.count
        graph.valueNames.append("head.\(added.count)")
        let node = Graph.Node(
            name: "head", operatorName: operatorName, overload: "",
            arguments: arguments.map { .init(name: $0.0, value: $0.1) }, outputs: [value])
        graph.nodes.append(node)
        added.append(node)
        return value
    }
}
