import Support

/// Computes every value's shape with the batch size left open, and so proves that a graph works for every
/// batch size. A graph that was exported with one fixed batch size is made to where that is safe.
struct ShapeInference {
    private var graph: Graph
    private let limits: GraphLimits
    private var values: [OperatorCall.Value?]
    private let image: Graph.ValueID
    /// The batch size that a fixed-batch graph was exported with.
    private let fixedBatch: Int?
    private var elements = 0
    private var multiplyAdds = 0

    init(_ graph: Graph, weightShapes: [Graph.ValueID: [Int]], limits: GraphLimits) throws {
        self.graph = graph
        self.limits = limits
        values = Array(repeating: nil, count: graph.valueNames.count)
        guard let image = graph.inputs.first(where: { $0.kind == .image })?.value else {
            throw GraphFault.input.problem("The graph has no image input.")
        }
        self.image = image
        guard graph.imageType == .float32, graph.imageShape.count == 4 else {
            throw GraphFault.input.problem(
                "The input is \(graph.imageType) of rank \(graph.imageShape.count), not float32 (N, channels, "
                    + "height, width).")
        }
        let sizes = graph.imageShape.dropFirst().compactMap { $0 }
        guard sizes.count == 3, (1...64).contains(sizes[0]),
            sizes.dropFirst().allSatisfy({ (1...limits.maximumImageSide).contains($0) })
        else {
            throw GraphFault.input.problem(
                "The image is \(sizes) (channels, height, width): fixed sizes, 1 to 64 channels and at most "
                    + "\(limits.maximumImageSide) pixels a side are needed.")
        }
        fixedBatch = graph.imageShape[0]
        values[image] = .tensor([.batchSize] + sizes.map { Dimension($0) })
        for input in graph.inputs where input.value != image {
            guard let shape = weightShapes[input.value], shape.count <= limits.maximumRank else {
                throw GraphFault.shape.problem("A weight has no shape, or one of too high a rank.")
            }
            values[input.value] = .tensor(shape.map { Dimension($0) })
        }
    }

    mutating func run() throws -> CheckedGraph {
        do {
            for index in graph.nodes.indices {
                try rewrite(index)
                try infer(graph.nodes[index])
            }
            try requireLogits()
            try normaliseHead()
            try setClasses()
        } catch let problem as Problem where fixedBatch != nil && Self.mayBeTheBatch(problem) {
            throw GraphFault.fixedBatch.problem(
                "It was exported for a batch of \(fixedBatch ?? 0), and cannot be shown to work for others: "
                    + [problem.detail, problem.location].compactMap { $0 }.joined(separator: ", at ")
            )
        }
        graph.imageShape[0] = nil
        return CheckedGraph(
            graph: graph, shapes: values.map(Self.shape), elements: elements, multiplyAdds: multiplyAdds)
    }

    private static func mayBeTheBatch(_ problem: Problem) -> Bool {
        [GraphFault.shape.rawValue, GraphFault.output.rawValue].contains(problem.code)
    }

    private mutating func infer(_ node: Graph.Node) throws {
        guard let rule = OperatorCatalog.rule(for: node) else {
            throw GraphFault.operator.problem("It is not allowed.", node: node)
        }
        let (shapes, work) = try results(of: node, rule)
        guard shapes.count == node.outputs.count else {
            throw GraphFault.structure.problem(
                "It has \(node.outputs.count) results, not \(shapes.count).", node: node)
        }
        try limits.add(work, to: &multiplyAdds, limit: limits.maximumMultiplyAdds, "multiply-adds", node)
        let isSymbolic = node.operatorName.hasPrefix("sym::")
        for (output, shape) in zip(node.outputs, shapes) {
            if isSymbolic {
                if let output { values[output] = .integer(shape[0]) }
                continue
            }
            let count = try limits.elements(shape, of: node)
            try limits.add(count, to: &elements, limit: limits.maximumTotalElements, "elements", node)
            if let output { values[output] = .tensor(shape) }
        }
    }

    /// The call shares `values`, and is gone before they change, so that they are not copied.
    private func results(of node: Graph.Node, _ rule: OperatorRule) throws -> ([Shape], multiplyAdds: Int) {
        var call = OperatorCall(node: node, schema: rule.schema, values: values)
        try call.checkComputedIntegers()
        return (try rule.shapes(&call), call.multiplyAdds)
    }

    private static let choosers: Set<String> = [
        "aten::argmax", "aten::argmin", "aten::max", "aten::min",
    ]
    private static let shapers: Set<String> = [
        "aten::to", "aten::_to_copy", "aten::squeeze", "aten::unsqueeze", "aten::reshape", "aten::view",
        "aten::flatten",
        "aten::clone", "aten::alias", "aten::detach", "aten::contiguous", "aten::_unsafe_view",
        "aten::select",
    ]

    /// - Throws: `Problem` where the output says which class is the likeliest, and nothing of the others.
    private func requireLogits() throws {
        var producers: [Graph.ValueID: Graph.Node] = [:]
        for node in graph.nodes { for case let output? in node.outputs { producers[output] = node } }
        var value = graph.output
        guard case .tensor(let shape)? = values[value], shape == [.batchSize] || shape == [.batchSize, 1]
        else { return }
        while let node = producers[value] {
            if Self.choosers.contains(node.operatorName) {
                throw GraphFault.output.problem(
                    "The model ends in \(node.operatorName): it says which class is the likeliest, and gives no logits.",
                    node: node,
                    fix:
                        "Export the model without it: a module whose forward returns the logits, one row for each image."
                )
            }
            guard Self.shapers.contains(node.operatorName), let target = node.target else { return }
            value = target
        }
    }

    /// The logits where the model ends in probabilities, and two of them where it ends in one.
    private mutating func normaliseHead() throws {
        var head = ClassifierHead(graph: graph, shapes: values.map(Self.shape))
        head.normalise()
        graph = head.graph
        values += Array(repeating: nil, count: graph.valueNames.count - values.count)
        for node in head.added { try infer(node) }
    }

    private static func shape(_ value: OperatorCall.Value?) -> Shape? {
        if case .tensor(let shape)? = value { shape } else { nil }
    }

    private mutating func setClasses() throws {
        guard case .tensor(let shape)? = values[graph.output], shape.count == 2, shape[0] == .batchSize,
            let classes = shape[1].known, (2...limits.maximumClasses).contains(classes)
        else {
            var found = "an integer"
            if case .tensor(let shape)? = values[graph.output] { found = shape.text }
            throw GraphFault.output.problem(
                "The output is \(found), not (N, classes) with 2 to \(limits.maximumClasses) classes.",
                fix: "Export a module whose forward returns the logits alone, one row for each image.")
        }
        graph.classes = classes
    }

    /// Replaces what holds for one batch size only, where the meaning for each image stays the same.
    private mutating func rewrite(_ index: Int) throws {
        let node = graph.nodes[index]
        guard let target = node.target, case .tensor(let shape)? = values[target] else { return }
        if node.operatorName == "aten::as_strided", let rule = OperatorCatalog.rule(for: node) {
            // Allowed only where it changes nothing.
            _ = try results(of: node, rule)
            graph.nodes[index].operatorName = "aten::alias"
            graph.nodes[index].arguments = [.init(name: "self", value: .tensor(target))]
        }
        if node.operatorName == "aten::squeeze", shape.contains(where: { $0.batch != 0 }) {
            keepBatch(index, of: shape)
        }
        guard let fixedBatch,
            ["aten::view", "aten::_unsafe_view", "aten::reshape"].contains(node.operatorName),
            shape.first == .batchSize, let perImage = Shape(shape.dropFirst()).elementCount?.known,
            let position = node.arguments.firstIndex(where: { ["size", "shape"].contains($0.name) }),
            case .ints(let sizes) = node.arguments[position].value
        else { return }
        var known = sizes.compactMap { if case .known(let size) = $0 { Int(widened: size) } else { nil } }
        guard known.count == sizes.count, known.first == fixedBatch else { return }
        // Row i of the result is image i: the sizes behind the first hold one image's elements.
        if let open = known.firstIndex(of: -1) {
            let rest = known.indices.dropFirst().filter { $0 != open }.map { Dimension(known[$0]) }
            guard let product = Shape(rest).elementCount?.known, product > 0, perImage % product == 0 else {
                return
            }
            known[open] = perImage / product
        }
        guard Shape(known.dropFirst().map { Dimension($0) }).elementCount?.known == perImage else { return }
        known[0] = -1
        graph.nodes[index].arguments[position].value = .ints(known.map { .known(Int64(widened: $0)) })
    }

    /// Squeezing leaves the batch alone, even when it is 1.
    private mutating func keepBatch(_ index: Int, of shape: Shape) {
        let node = graph.nodes[index]
        var axes = Set(shape.indices)
        switch node.argument("dim") {
        case .int(.known(let axis))?: axes = [Int(axis) < 0 ? Int(axis) + shape.count : Int(axis)]
        case .ints(let list)?:
            let known = list.compactMap { if case .known(let axis) = $0 { Int(axis) } else { nil } }
            axes = Set(known.map { $0 < 0 ? $0 + shape.count : $0 })
        default: break
        }
        let kept = axes.sorted().filter { !shape.indices.contains($0) || shape[$0].batch == 0 }
        graph.nodes[index].overload = "dims"
        graph.nodes[index].arguments.removeAll { $0.name == "dim" }
        graph.nodes[index].arguments.append(
            .init(name: "dim", value: .ints(kept.map { .known(Int64(widened: $0)) })))
    }
}
