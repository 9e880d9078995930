import Execution
import Graph
import Tensors

/// Models written by hand, small enough to know what they compute.
public struct TinyGraph {
    private var graph: Graph

    public init(channels: Int, side: Int, classes: Int) {
        graph = Graph(
            valueNames: [], inputs: [], nodes: [], output: 0, imageShape: [nil, channels, side, side],
            imageType: .float32, classes: classes)
    }

    private mutating func value(_ name: String) -> Graph.ValueID {
        graph.valueNames.append(name)
        return graph.valueNames.count - 1
    }

    public mutating func input(_ name: String, _ kind: Graph.InputKind) -> Graph.ValueID {
        let value = value(name)
        graph.inputs.append(.init(value: value, kind: kind))
        return value
    }

    public mutating func node(
        _ name: String, _ overload: String = "", _ arguments: KeyValuePairs<String, Graph.Argument>
    ) -> Graph.ValueID {
        let result = value("v\(graph.valueNames.count)")
        graph.nodes.append(
            .init(
                name: "node_\(graph.nodes.count)", operatorName: name, overload: overload,
                arguments: arguments.map { .init(name: $0.key, value: $0.value) }, outputs: [result]))
        return result
    }

    public mutating func finish(_ output: Graph.ValueID) -> Graph {
        graph.output = output
        return graph
    }

    /// logits = weight · x + bias; `weight` (classes, channels · side · side).
    public static func linear(weight: Tensor, bias: Tensor, channels: Int, side: Int) throws -> GraphModel {
        var builder = TinyGraph(channels: channels, side: side, classes: try weight.size(0))
        let w = builder.input("fc.weight", .parameter(name: "fc.weight"))
        let b = builder.input("fc.bias", .parameter(name: "fc.bias"))
        let x = builder.input("x", .image)
        let flat = builder.node(
            "aten::flatten", "using_ints", ["self": .tensor(x), "start_dim": .int(.known(1))])
        let graph = builder.finish(
            builder.node(
                "aten::linear", "", ["input": .tensor(flat), "weight": .tensor(w), "bias": .tensor(b)]))
        return try GraphModel(graph: graph, tensors: ["fc.weight": weight, "fc.bias": bias])
    }

    /// Two convolutions (the second with stride 2) with ReLU, the maximum over all places, and a linear layer;
    /// He-initialised.
    public static func convolutional(
        channels: Int = 3, side: Int, classes: Int, width: Int = 16, seed: UInt64
    ) throws -> GraphModel {
        var builder = TinyGraph(channels: channels, side: side, classes: classes)
        let names = ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc.weight", "fc.bias"]
        let weights = names.map { builder.input($0, .parameter(name: $0)) }
        var y = builder.input("x", .image)
        for (layer, stride) in [Int64(1), 2].enumerated() {
            y = builder.node(
                "aten::conv2d", "",
                [
                    "input": .tensor(y), "weight": .tensor(weights[2 * layer]),
                    "bias": .tensor(weights[2 * layer + 1]),
                    "stride": .ints([.known(stride), .known(stride)]),
                    "padding": .ints([.known(1), .known(1)]),
                ])
            y = builder.node("aten::relu", "", ["self": .tensor(y)])
        }
        y = builder.node(
            "aten::amax", "", ["self": .tensor(y), "dim": .ints([.known(2), .known(3)])])
        let graph = builder.finish(
            builder.node(
                "aten::linear", "",
                ["input": .tensor(y), "weight": .tensor(weights[4]), "bias": .tensor(weights[5])]))
        let generator = try Generator(seed: seed)
        func drawn(_ shape: [Int]) throws -> Tensor {
            let fanIn = Double(shape.dropFirst().reduce(1, *))
            return try Tensor.randn(shape, generator: generator) * (2 / fanIn).squareRoot()
        }
        return try GraphModel(
            graph: graph,
            tensors: [
                "conv1.weight": drawn([width, channels, 3, 3]), "conv1.bias": Tensor.zeros([width]),
                "conv2.weight": drawn([2 * width, width, 3, 3]), "conv2.bias": Tensor.zeros([2 * width]),
                "fc.weight": drawn([classes, 2 * width]), "fc.bias": Tensor.zeros([classes]),
            ])
    }
}
