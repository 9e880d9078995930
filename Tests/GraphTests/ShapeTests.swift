import Support
import Testing

@testable import Graph

/// A graph of one image input, weights, and nodes in order; the last node's first result is the output.
struct Sketch {
    var graph: Graph
    var weights: [Graph.ValueID: [Int]] = [:]

    init(image: [Int?] = [nil, 3, 8, 8]) {
        graph = Graph(
            valueNames: ["x"], inputs: [.init(value: 0, kind: .image)], nodes: [], output: 0,
            imageShape: image,
            imageType: .float32, classes: 0)
    }

    mutating func weight(_ shape: [Int]) -> Graph.Argument {
        let id = graph.valueNames.count
        graph.valueNames.append("w\(id)")
        graph.inputs.append(.init(value: id, kind: .parameter(name: "w\(id)")))
        weights[id] = shape
        return .tensor(id)
    }

    @discardableResult
    mutating func node(
        _ name: String, _ arguments: KeyValuePairs<String, Graph.Argument>, results: Int = 1
    ) -> Graph.ValueID {
        let parts = name.split(separator: ".")
        let first = graph.valueNames.count
        for index in 0..<results { graph.valueNames.append("\(name)_\(first + index)") }
        graph.nodes.append(
            .init(
                name: "n\(graph.nodes.count)", operatorName: String(parts[0]),
                overload: parts.count > 1 ? String(parts[1]) : "",
                arguments: arguments.map { .init(name: $0.key, value: $0.value) },
                outputs: (0..<results).map { first + $0 }))
        graph.output = first
        return first
    }

    /// Flattens the output and keeps ten columns, so that the graph is a classifier.
    mutating func classify() {
        let flat = node("aten::flatten.using_ints", ["self": .tensor(graph.output), "start_dim": known(1)])
        node(
            "aten::slice.Tensor",
            ["self": .tensor(flat), "dim": known(1), "start": known(0), "end": known(10)])
    }

    func check() throws -> CheckedGraph { try GraphChecker.check(graph, weightShapes: weights) }
}

func known(_ number: Int64) -> Graph.Argument { .int(.known(number)) }

func list(_ numbers: Int64...) -> Graph.Argument { .ints(numbers.map { .known($0) }) }

@Suite("Shapes")
struct ShapeTests {
    /// Expected sizes from PyTorch: max_pool2d(kernel, stride, padding, dilation, ceil) of 8 x 8.
    @Test(
        "of pooling",
        arguments: [
            (2, 2, 0, 1, false, 4), (3, 2, 1, 1, false, 4), (3, 2, 0, 1, false, 3), (3, 2, 0, 1, true, 4),
            (3, 2, 1, 1, true, 5), (2, 3, 0, 1, true, 3), (2, 2, 0, 2, false, 3), (1, 3, 0, 1, true, 3),
        ] as [(Int64, Int64, Int64, Int64, Bool, Int)])
    func pooling(
        _ kernel: Int64, _ stride: Int64, _ padding: Int64, _ dilation: Int64, _ ceil: Bool, _ size: Int
    ) throws {
        var sketch = Sketch()
        let pool = sketch.node(
            "aten::max_pool2d",
            [
                "self": .tensor(0), "kernel_size": list(kernel, kernel), "stride": list(stride, stride),
                "padding": list(padding, padding), "dilation": list(dilation, dilation),
                "ceil_mode": .bool(ceil),
            ])
        sketch.classify()
        let shape = try sketch.check().shapes[pool]
        #expect(shape == [.batchSize, 3, Dimension(size), Dimension(size)])
    }

    @Test("of convolutions, with their multiply-adds")
    func convolution() throws {
        var sketch = Sketch()
        let weight = sketch.weight([6, 1, 3, 3])
        let conv = sketch.node(
            "aten::conv2d",
            [
                "input": .tensor(0), "weight": weight, "stride": list(2, 1), "padding": list(1, 0),
                "groups": known(3),
            ])
        sketch.classify()
        let checked = try sketch.check()
        #expect(checked.shapes[conv] == [.batchSize, 6, 4, 6])
        #expect(checked.multiplyAdds == 6 * 4 * 6 * 9)
        #expect(checked.graph.classes == 10)
    }

    @Test("of symbolic sizes hold for every batch")
    func symbolic() throws {
        var sketch = Sketch()
        let size = sketch.node("sym::size", ["self": .tensor(0), "dim": known(0)])
        let product = sketch.node("sym::mul", ["a": .int(.computed(size)), "b": known(3)])
        let view = sketch.node(
            "aten::view", ["self": .tensor(0), "size": .ints([.computed(product), .known(64)])])
        #expect(throws: Problem.self) { try sketch.check() }
        sketch.node("aten::view", ["self": .tensor(view), "size": .ints([.computed(size), .known(-1)])])
        sketch.classify()
        let checked = try sketch.check()
        #expect(checked.shapes[view] == [Dimension(batch: 3, constant: 0), 64])
    }

    @Test("with sizes of one batch are opened up only where each image keeps its own row")
    func fixedBatch() throws {
        var sketch = Sketch(image: [4, 3, 8, 8])
        sketch.node("aten::view", ["self": .tensor(0), "size": list(4, -1)])
        sketch.classify()
        let checked = try sketch.check()
        #expect(checked.graph.imageShape == [nil, 3, 8, 8])
        #expect(checked.graph.nodes[0].argument("size") == list(-1, 192))

        var mixed = Sketch(image: [4, 3, 8, 8])
        mixed.node("aten::view", ["self": .tensor(0), "size": list(4, 3, 64)])
        mixed.node("aten::view", ["self": .tensor(0), "size": list(12, 64)])
        mixed.classify()
        let problem = try #require(throws: Problem.self) { try mixed.check() }
        #expect(problem.code == "model-fixed-batch")
    }

    @Test("that grow without end are refused")
    func endless() throws {
        var sketch = Sketch()
        for _ in 0..<40 {
            sketch.node(
                "aten::cat",
                ["tensors": .tensors([sketch.graph.output, sketch.graph.output]), "dim": known(1)])
        }
        let problem = try #require(throws: Problem.self) { try sketch.check() }
        #expect(problem.code == "model-too-large")
    }
}

@Suite("Simplified graphs")
struct GraphSimplifierTests {
    @Test("have one batch normalisation, and nothing that is not read")
    func batchNorm() throws {
        var sketch = Sketch()
        let (mean, variance) = (sketch.weight([3]), sketch.weight([3]))
        _ = sketch.weight([99])
        sketch.node(
            "aten::_native_batch_norm_legit_no_training",
            [
                "input": .tensor(0), "weight": .none, "bias": .none, "running_mean": mean,
                "running_var": variance,
                "momentum": .float(0.1), "eps": .float(1e-5),
            ], results: 3)
        let norm = sketch.graph.output
        sketch.node("aten::relu", ["self": .tensor(0)])
        sketch.graph.output = norm
        sketch.classify()
        let simple = GraphSimplifier.simplified(sketch.graph)
        #expect(simple.nodes.map(\.operatorName) == ["aten::batch_norm", "aten::flatten", "aten::slice"])
        #expect(simple.nodes[0].argument("training") == .bool(false))
        #expect(simple.nodes[0].outputs == [norm])
        #expect(simple.inputs.count == 3)
        sketch.graph = simple
        #expect(try sketch.check().graph.classes == 10)
    }

    @Test("keep writes in place that are seen, and refuse those whose order a copy would change")
    func inPlace() throws {
        var sketch = Sketch()
        let copy = sketch.node("aten::clone", ["self": .tensor(0)])
        sketch.node("aten::relu_", ["self": .tensor(copy)])
        sketch.graph.output = copy
        sketch.classify()
        #expect(GraphSimplifier.simplified(sketch.graph).nodes.map(\.operatorName).contains("aten::relu_"))

        var viewed = Sketch()
        let base = viewed.node("aten::clone", ["self": .tensor(0)])
        let view = viewed.node("aten::view", ["self": .tensor(base), "size": list(-1, 192)])
        viewed.node("aten::relu_", ["self": .tensor(view)])
        viewed.graph.output = base
        viewed.classify()
        let problem = try #require(throws: Problem.self) { try viewed.check() }
        #expect(problem.code == "model-graph-structure")
    }

    @Test("of indexing, scattering and einsum follow PyTorch's rules, the batch untouched")
    func picking() throws {
        var sketch = Sketch()
        // Value 1.
        _ = sketch.weight([5, 2])
        sketch.node("aten::index.Tensor", ["self": .tensor(0), "indices": .optionalTensors([nil, nil, 1])])
        #expect(try sketch.shapeOfOutput() == [.batchSize, 3, 5, 2, 8])
        let part = sketch.weight([3, 8, 8])
        let row = sketch.weight([8, 8])
        sketch.node("aten::select_scatter", ["self": part, "src": row, "dim": known(0), "index": known(1)])
        #expect(try sketch.shapeOfOutput() == [3, 8, 8])
        let mixer = sketch.id(sketch.weight([7, 3]))
        sketch.node("aten::einsum", ["equation": .string("nchw,oc->nohw"), "tensors": .tensors([0, mixer])])
        #expect(try sketch.shapeOfOutput() == [.batchSize, 7, 8, 8])
        var mixing = Sketch()
        _ = mixing.weight([5])
        mixing.node("aten::index.Tensor", ["self": .tensor(0), "indices": .optionalTensors([1])])
        #expect(throws: Problem.self) { try mixing.check() }
        var strided = Sketch()
        strided.node("aten::as_strided", ["self": .tensor(0), "size": list(1, 3), "stride": list(1, 1)])
        #expect(throws: Problem.self) { try strided.check() }
    }

    @Test("of a head of probabilities or of one logit become those of logits")
    func heads() throws {
        var sketch = Sketch()
        sketch.classify()
        let logits = sketch.graph.output
        sketch.node("aten::softmax.int", ["self": .tensor(logits), "dim": known(-1)])
        #expect(try sketch.check().graph.output == logits)

        var binary = Sketch()
        let flat = binary.node("aten::flatten.using_ints", ["self": .tensor(0), "start_dim": known(1)])
        let head = binary.weight([1, 192])
        let one = binary.node("aten::linear", ["input": .tensor(flat), "weight": head])
        let row = binary.node("aten::squeeze.dim", ["self": .tensor(one), "dim": known(1)])
        binary.node("aten::sigmoid", ["self": .tensor(row)])
        let checked = try binary.check()
        #expect(checked.graph.classes == 2)
        #expect(checked.shapes[checked.graph.output] == [.batchSize, 2])
        #expect(checked.graph.nodes.suffix(2).map(\.operatorName) == ["aten::zeros_like", "aten::cat"])
    }

    @Test("allow writes through views of fresh memory, and not through what may be a copy")
    func writesThroughViews() throws {
        func sketch(_ view: String, _ arguments: KeyValuePairs<String, Graph.Argument>) -> Sketch {
            var sketch = Sketch()
            let mask = sketch.node("aten::zeros", ["size": list(8, 8)])
            var given: [(String, Graph.Argument)] = [("self", .tensor(mask))]
            given += arguments.map { ($0.key, $0.value) }
            let part = sketch.node(view, given)
            sketch.node("aten::fill_.Scalar", ["self": .tensor(part), "value": .float(1)])
            sketch.node("aten::add.Tensor", ["self": .tensor(0), "other": .tensor(mask)])
            sketch.classify()
            return sketch
        }
        _ = try sketch("aten::slice.Tensor", ["dim": known(0), "start": known(0), "end": known(4)]).check()
        #expect(throws: Problem.self) { try sketch("aten::reshape", ["shape": list(64)]).check() }
    }
}

extension Sketch {
    fileprivate func id(_ argument: Graph.Argument) -> Graph.ValueID {
        if case .tensor(let value) = argument { value } else { -1 }
    }

    /// The output's shape, before it is made a classifier's.
    fileprivate func shapeOfOutput() throws -> Shape? {
        var copy = self
        let value = graph.output
        // Bound to the batch again, so that the graph is a classifier.
        copy.graph.output = 0
        copy.classify()
        return try copy.check().shapes[value]
    }

    @discardableResult
    fileprivate mutating func node(_ name: String, _ arguments: [(String, Graph.Argument)]) -> Graph.ValueID {
        let parts = name.split(separator: ".")
        let value = graph.valueNames.count
        graph.valueNames.append(name)
        graph.nodes.append(
            .init(
                name: name, operatorName: String(parts[0]), overload: parts.count > 1 ? String(parts[1]) : "",
                arguments: arguments.map { .init(name: $0.0, value: $0.1) }, outputs: [value]))
        graph.output = value
        return value
    }
}
