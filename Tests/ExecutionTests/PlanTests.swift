import Execution
import Graph
import Support
import Tensors
import Testing

@Suite struct PlanTests {
    private let images: Tensor

    init() throws { images = try Tensor.randn([4, 3, 8, 8], generator: Generator(seed: 3)) }

    /// A pooled linear head on `value`.
    private func head(_ builder: inout GraphBuilder, _ value: Graph.ValueID) -> Graph {
        let mean = builder.node("aten::mean", "dim", ["self": .tensor(value), "dim": .list(2, 3)])
        return builder.finish(mean)
    }

    @Test func inPlaceOperatorsSpareWeightsAndTheCallersImages() throws {
        var builder = GraphBuilder()
        let weight = builder.parameter("w")
        let x = builder.image()
        let first = builder.node("aten::relu_", "", ["self": .tensor(x)])
        let view = builder.node("aten::detach", "", ["self": .tensor(weight)])
        let second = builder.node("aten::mul_", "Scalar", ["self": .tensor(view), "other": .float(3)])
        let sum = builder.node("aten::add", "Tensor", ["self": .tensor(first), "other": .tensor(second)])
        let model = try GraphModel(graph: head(&builder, sum), tensors: ["w": .ones([3, 1, 1])])
        for images in [images, try images.channelsLast()] {
            let copy = try images.clone()
            for mode in GraphModel.Mode.allCases {
                let logits = try model.forward(images, mode: mode)
                let expected = try images.relu().mean([2, 3]) + 3
                #expect(try distance(logits, expected) < 1e-5)
            }
            #expect(try distance(images, copy) == 0)
            #expect(try model.parameters[0].array(as: Float.self) == [1, 1, 1])
        }
    }

    @Test func sizesAreComputed() throws {
        var builder = GraphBuilder()
        let x = builder.image()
        func symbol(_ name: String, _ a: Graph.SymbolicInt, _ b: Graph.SymbolicInt) -> Graph.ValueID {
            builder.node(name, "", ["a": .int(a), "b": .int(b)])
        }
        let n = builder.node("sym::size", "", ["self": .tensor(x), "dim": .number(0)])
        let double = symbol("sym::mul", .computed(n), .known(2))
        let more = symbol("sym::add", .computed(double), .known(1))
        let half = symbol("sym::floordiv", .computed(more), .known(2))
        let same = symbol("sym::sub", .computed(half), .known(0))
        let y = builder.node(
            "aten::reshape", "",
            ["self": .tensor(x), "shape": .ints([.computed(same), .known(3), .known(-1)])])
        let model = try GraphModel(
            graph: builder.finish(
                builder.node("aten::mean", "dim", ["self": .tensor(y), "dim": .list(2)])), tensors: [:])
        #expect(try distance(model.forward(images, mode: .inference), images.mean([2, 3])) < 1e-6)
    }

    @Test func divisionBySizeZeroIsAProblem() throws {
        var builder = GraphBuilder()
        let x = builder.image()
        let n = builder.node("sym::floordiv", "", ["a": .number(1), "b": .number(0)])
        let y = builder.node("aten::reshape", "", ["self": .tensor(x), "shape": .ints([.computed(n)])])
        let model = try GraphModel(graph: builder.finish(y), tensors: [:])
        let problem = #expect(throws: Problem.self) { _ = try model.forward(images, mode: .inference) }
        #expect(problem?.location == "node_0")
    }

    @Test func failingNodesAreNamed() throws {
        var builder = GraphBuilder()
        let x = builder.image()
        let y = builder.node("aten::relu", "", ["self": .tensor(x)])
        let z = builder.node("aten::mm", "", ["self": .tensor(y), "mat2": .tensor(y)])
        let model = try GraphModel(graph: builder.finish(z), tensors: [:])
        let problem = #expect(throws: Problem.self) { _ = try model.forward(images, mode: .inference) }
        #expect(problem?.location == "node_1")
        #expect(problem?.detail.contains("aten::mm") == true)
    }

    @Test func unknownArgumentsAreRefusedBeforeRunning() throws {
        var builder = GraphBuilder()
        let x = builder.image()
        let graph = builder.finish(builder.node("aten::relu", "", ["input": .tensor(x)]))
        #expect(throws: Problem.self) { _ = try GraphModel(graph: graph, tensors: [:]) }
    }

    /// Batch norm after a convolution whose result is used twice must not be folded.
    @Test func sharedConvolutionsKeepTheirOwnResult() throws {
        var builder = GraphBuilder()
        let weight = builder.parameter("w"), mean = builder.buffer("m"), variance = builder.buffer("v")
        let x = builder.image()
        let y = builder.node("aten::conv2d", "", ["input": .tensor(x), "weight": .tensor(weight)])
        let z = builder.node(
            "aten::batch_norm", "",
            [
                "input": .tensor(y), "weight": .none, "bias": .none, "running_mean": .tensor(mean),
                "running_var": .tensor(variance), "training": .bool(false), "momentum": .float(0.1),
                "eps": .float(0), "cudnn_enabled": .bool(true),
            ])
        let sum = builder.node("aten::add", "Tensor", ["self": .tensor(y), "other": .tensor(z)])
        let identity = try Tensor.eye(3).reshape([3, 3, 1, 1])
        let model = try GraphModel(
            graph: head(&builder, sum),
            tensors: ["w": identity, "m": .full([3], 2), "v": .full([3], 0.25)])
        let pooled = try images.mean([2, 3])
        let expected = try pooled + (pooled - 2) * 2
        #expect(try distance(model.forward(images, mode: .inference), expected) < 1e-5)
    }

    @Test func wholeChannelsDropTogether() throws {
        var builder = GraphBuilder()
        let x = builder.image()
        let y = builder.node(
            "aten::feature_dropout", "", ["input": .tensor(x), "p": .float(0.5), "train": .bool(false)])
        let model = try GraphModel(graph: builder.finish(y), tensors: [:], seed: 1)
        let ones = try Tensor.ones([16, 3, 8, 8])
        #expect(try distance(model.forward(ones, mode: .inference), ones) == 0)
        let dropped = try model.forward(ones, mode: .training)
        #expect(try distance(dropped.amax([2, 3]), dropped.amin([2, 3])) == 0)
        let values = Set(try dropped.array(as: Float.self))
        #expect(values == [0, 2])
    }

    @Test func convolutionalHeadsGiveAveragedFeatures() throws {
        var builder = GraphBuilder()
        let weight = builder.parameter("w")
        let x = builder.image()
        let y = builder.node("aten::relu", "", ["self": .tensor(x)])
        let z = builder.node("aten::conv2d", "", ["input": .tensor(y), "weight": .tensor(weight)])
        let model = try GraphModel(graph: head(&builder, z), tensors: ["w": .ones([3, 3, 1, 1])])
        let features = try #require(try model.forwardWithFeatures(images, mode: .inference).features)
        #expect(try distance(features, images.relu().mean([2, 3])) < 1e-6)
    }
}
