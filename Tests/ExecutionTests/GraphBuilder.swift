import Graph

/// Writes graphs by hand, as a torch.export file would have them.
struct GraphBuilder {
    private(set) var graph = Graph(
        valueNames: [], inputs: [], nodes: [], output: 0, imageShape: [nil, 3, 8, 8], imageType: .float32,
        classes: 3)

    init(imageShape: [Int?] = [nil, 3, 8, 8], classes: Int = 3) {
        graph.imageShape = imageShape
        graph.classes = classes
    }

    mutating func value(_ name: String) -> Graph.ValueID {
        graph.valueNames.append(name)
        return graph.valueNames.count - 1
    }

    mutating func parameter(_ name: String) -> Graph.ValueID {
        input(name, .parameter(name: name))
    }

    mutating func buffer(_ name: String) -> Graph.ValueID { input(name, .buffer(name: name)) }

    mutating func image() -> Graph.ValueID { input("x", .image) }

    private mutating func input(_ name: String, _ kind: Graph.InputKind) -> Graph.ValueID {
        let value = value(name)
        graph.inputs.append(.init(value: value, kind: kind))
        return value
    }

    @discardableResult
    mutating func node(
        _ operatorName: String, _ overload: String = "", _ arguments: KeyValuePairs<String, Graph.Argument>
    ) -> Graph.ValueID {
        let result = value("v\(graph.valueNames.count)")
        graph.nodes.append(
            .init(
                name: "node_\(graph.nodes.count)", operatorName: operatorName, overload: overload,
                arguments: arguments.map { .init(name: $0.key, value: $0.value) }, outputs: [result]))
        return result
    }

    mutating func finish(_ output: Graph.ValueID) -> Graph {
        graph.output = output
        return graph
    }
}

extension Graph.Argument {
    static func list(_ values: Int64...) -> Graph.Argument { .ints(values.map { .known($0) }) }
    static func number(_ value: Int64) -> Graph.Argument { .int(.known(value)) }
}

/// conv, batch norm, relu_, conv (bias), batch norm, elu_, max pool, view, dropout, linear.
func smallNetwork(dropout: Double = 0.5) -> Graph {
    var builder = GraphBuilder()
    let conv1 = builder.parameter("conv1.weight")
    let scale1 = builder.parameter("bn1.weight"), shift1 = builder.parameter("bn1.bias")
    let conv2 = builder.parameter("conv2.weight"), bias2 = builder.parameter("conv2.bias")
    let scale2 = builder.parameter("bn2.weight"), shift2 = builder.parameter("bn2.bias")
    let fc = builder.parameter("fc.weight"), fcBias = builder.parameter("fc.bias")
    let mean1 = builder.buffer("bn1.running_mean"), variance1 = builder.buffer("bn1.running_var")
    let mean2 = builder.buffer("bn2.running_mean"), variance2 = builder.buffer("bn2.running_var")
    let x = builder.image()
    let n = builder.node("sym::size", "", ["self": .tensor(x), "dim": .number(0)])
    var y = builder.node(
        "aten::conv2d", "",
        [
            "input": .tensor(x), "weight": .tensor(conv1), "bias": .none, "stride": .list(1, 1),
            "padding": .list(1, 1),
        ])
    y = builder.node(
        "aten::batch_norm", "",
        [
            "input": .tensor(y), "weight": .tensor(scale1), "bias": .tensor(shift1),
            "running_mean": .tensor(mean1), "running_var": .tensor(variance1), "training": .bool(false),
            "momentum": .float(0.1), "eps": .float(1e-5), "cudnn_enabled": .bool(false),
        ])
    y = builder.node("aten::relu_", "", ["self": .tensor(y)])
    y = builder.node(
        "aten::conv2d", "",
        [
            "input": .tensor(y), "weight": .tensor(conv2), "bias": .tensor(bias2), "stride": .list(2, 2),
            "padding": .list(1, 1),
        ])
    y = builder.node(
        "aten::_native_batch_norm_legit_no_training", "",
        [
            "input": .tensor(y), "weight": .tensor(scale2), "bias": .tensor(shift2),
            "running_mean": .tensor(mean2), "running_var": .tensor(variance2), "momentum": .float(0.1),
            "eps": .float(1e-5),
        ])
    y = builder.node("aten::elu_", "", ["self": .tensor(y), "alpha": .float(1)])
    y = builder.node("aten::max_pool2d", "", ["self": .tensor(y), "kernel_size": .list(2, 2)])
    y = builder.node(
        "aten::view", "", ["self": .tensor(y), "size": .ints([.computed(n), .known(-1)])])
    y = builder.node(
        "aten::dropout", "", ["input": .tensor(y), "p": .float(dropout), "train": .bool(false)])
    return builder.finish(
        builder.node(
            "aten::linear", "", ["input": .tensor(y), "weight": .tensor(fc), "bias": .tensor(fcBias)]))
}
