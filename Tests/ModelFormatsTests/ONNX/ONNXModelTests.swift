import Containers
import Foundation
import Graph
import Support
import Testing

@testable import ModelFormats

@Suite("ONNX models")
struct ONNXModelTests {
    private func open(_ bytes: [UInt8], limits: ONNXLimits = ONNXLimits()) throws -> ONNXModel {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "burn-\(UUID().uuidString).onnx")
        try Data(bytes).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        let file = try RandomAccessFile(path: url.path)
        return try ONNXModel(
            file, range: 0..<file.size, images: ImageSize(height: 8, width: 8), limits: limits)
    }

    private func open(_ tiny: TinyONNX) throws -> ONNXModel { try open(tiny.bytes()) }

    private func check(_ model: ONNXModel) throws -> CheckedGraph {
        try GraphChecker.check(
            GraphSimplifier.simplified(model.graph),
            weightShapes: model.weights.mapValues(\.location.shape))
    }

    @Test("become graphs of ATen operators, initializers their weights", arguments: [4, 600])
    func translates(_ channels: Int) throws {
        let model = try open(.classifier(channels: channels))
        let checked = try check(model)
        #expect(checked.graph.classes == 10)
        #expect(
            checked.graph.nodes.map(\.operatorName) == [
                "aten::conv2d", "aten::relu", "aten::adaptive_avg_pool2d", "aten::reshape", "aten::linear",
            ])
        let parameters = checked.graph.inputs.compactMap { input -> String? in
            if case .parameter(let name) = input.kind { name } else { nil }
        }
        #expect(parameters == ["conv.weight", "conv.bias", "fc.weight", "fc.bias"])
        // Every weight lies in the file, small or large, so that it can be replaced there.
        #expect(model.weights.values.allSatisfy { $0.literal == nil })
    }

    @Test("know where a weight lies")
    func places() throws {
        let tiny = TinyONNX.classifier(channels: 600)
        let bytes = try tiny.bytes()
        let model = try open(bytes)
        for weight in model.weights.values.map(\.location) {
            let raw = try #require(tiny.model.graph.initializer.first { $0.name == weight.name }).rawData
            #expect(bytes[weight.fileOffset..<weight.fileOffset + weight.byteCount].elementsEqual(raw))
        }
    }

    @Test("need no nodes for what is computed of shapes")
    func foldsShapes() throws {
        var tiny = TinyONNX()
        tiny.weight("fc", [192, 10])
        tiny.constant("zero", [0], shape: [])
        tiny.constant("axis", [0])
        tiny.constant("rest", [-1])
        tiny.node("Shape", ["input"], "shape")
        tiny.node("Gather", ["shape", "zero"], "batch", ["axis": .int(0)])
        tiny.node("Unsqueeze", ["batch", "axis"], "batches")
        tiny.node("Concat", ["batches", "rest"], "sizes", ["axis": .int(0)])
        tiny.node("Reshape", ["input", "sizes"], "rows")
        tiny.node("MatMul", ["rows", "fc"], "logits")
        tiny.output("logits")
        let checked = try check(open(tiny))
        #expect(checked.graph.nodes.map(\.operatorName) == ["aten::reshape", "aten::matmul"])
    }

    @Test("with a fixed batch are opened up", arguments: [1, 4])
    func opensBatch(_ batch: Int) throws {
        var tiny = TinyONNX(input: [batch, 3, 8, 8])
        tiny.weight("fc", [192, 10])
        tiny.constant("sizes", [batch, 192])
        tiny.node("Reshape", ["input", "sizes"], "rows")
        tiny.node("MatMul", ["rows", "fc"], "logits")
        tiny.output("logits")
        let checked = try check(open(tiny))
        #expect(checked.graph.imageShape[0] == nil)
        #expect(checked.shapes[checked.graph.output] == [.batchSize, 10])
    }

    @Test("that mix the images of a fixed batch are refused")
    func refusesMixing() throws {
        var tiny = TinyONNX(input: [2, 3, 8, 8])
        tiny.weight("fc", [96, 10])
        tiny.constant("sizes", [4, 96])
        tiny.constant("pair", [2, -1])
        tiny.node("Transpose", ["input"], "moved", ["perm": .ints([1, 0, 2, 3])])
        tiny.node("Reshape", ["moved", "sizes"], "rows")
        tiny.node("MatMul", ["rows", "fc"], "logits")
        tiny.output("logits")
        #expect(throws: Problem.self) { try check(open(tiny)) }
    }

    @Test("of images with channels last are given channels first")
    func channelsLast() throws {
        var tiny = TinyONNX(input: [nil, 8, 8, 3])
        tiny.weight("kernel", [10, 3, 3, 3])
        tiny.node("Transpose", ["input"], "first", ["perm": .ints([0, 3, 1, 2])])
        tiny.node(
            "Conv", ["first", "kernel"], "maps",
            ["auto_pad": .string("SAME_UPPER"), "strides": .ints([2, 2])])
        tiny.node("Transpose", ["maps"], "last", ["perm": .ints([0, 2, 3, 1])])
        tiny.node("ReduceMean", ["last"], "logits", ["axes": .ints([1, 2]), "keepdims": .int(0)])
        tiny.output("logits")
        let checked = try check(open(tiny))
        #expect(checked.graph.imageShape == [nil, 3, 8, 8])
        // Uneven padding is written out.
        #expect(checked.graph.nodes.contains { $0.operatorName == "aten::constant_pad_nd" })
    }

    @Test("train their batch normalisation and dropout")
    func trains() throws {
        var tiny = TinyONNX()
        for name in ["scale", "shift", "mean", "variance"] { tiny.weight(name, [3]) }
        tiny.weight("fc", [192, 10])
        tiny.node(
            "BatchNormalization", ["input", "scale", "shift", "mean", "variance"], "a",
            ["momentum": .float(0.75)])
        tiny.node("Dropout", ["a"], "b")
        tiny.node("Flatten", ["b"], "c")
        tiny.node("MatMul", ["c", "fc"], "logits")
        tiny.output("logits")
        let graph = try check(open(tiny)).graph
        let norm = try #require(graph.nodes.first { $0.operatorName == "aten::batch_norm" })
        #expect(norm.argument("momentum") == .float(0.25))
        #expect(graph.nodes.contains { $0.operatorName == "aten::dropout" })
        let kinds = graph.inputs.map(\.kind)
        #expect(kinds.contains(.buffer(name: "mean")) && kinds.contains(.parameter(name: "scale")))
    }

    static let refusals: [(name: String, code: String, change: @Sendable (inout TinyONNX) -> Void)] =
        [
            ("an old operator set", "onnx-version", { $0.model.opsetImport[0].version = 10 }),
            ("a future operator set", "onnx-version", { $0.model.opsetImport[0].version = 99 }),
            (
                "two inputs", "onnx-input",
                { $0.model.graph.input.append(TinyONNX.info("second", [nil, 3])) }
            ),
            (
                "an input of float64", "onnx-input",
                { $0.model.graph.input[0].type.tensorType.elemType = 11 }
            ),
            (
                "open channels", "onnx-input",
                { $0.model.graph.input[0] = TinyONNX.info("input", [nil, nil, 8, 8]) }
            ),
            (
                "external data", "onnx-external-data",
                { tiny in
                    tiny.model.graph.initializer[0].dataLocation = 1
                    tiny.model.graph.initializer[0].clearRawData()
                }
            ),
            ("an unknown operator", "onnx-operator", { $0.model.graph.node[1].opType = "System" }),
            (
                "an operator of another domain", "onnx-operator",
                { $0.model.graph.node[1].domain = "com.example" }
            ),
            (
                "a weight that is too short", "onnx-weights",
                { $0.model.graph.initializer[0].rawData.removeLast() }
            ),
            ("negative sizes", "onnx-weights", { $0.model.graph.initializer[0].dims[0] = -4 }),
            (
                "sizes that overflow", "onnx-weights",
                { $0.model.graph.initializer[0].dims = [1 << 62, 4] }
            ),
            (
                "a weight twice", "onnx-weights",
                { $0.model.graph.initializer.append($0.model.graph.initializer[0]) }
            ),
            (
                "a value that is not there", "model-graph-structure",
                { $0.model.graph.node[1].input = ["nothing"] }
            ),
            ("a value written twice", "model-graph-structure", { $0.model.graph.node[2].output = ["a"] }),
            (
                "kernels that do not fit", "model-shape",
                { $0.model.graph.initializer[0].dims = [4, 1, 9, 3] }
            ),
            (
                "a function of its own", "onnx-functions",
                { tiny in
                    tiny.model.functions = [.with { $0.name = "Relu" }]
                }
            ),
            (
                "two possible outputs", "model-output",
                { tiny in
                    tiny.node("Relu", ["logits"], "more")
                    tiny.node("Relu", ["more"], "most")
                    tiny.model.graph.output = [
                        TinyONNX.info("more", [nil, 10]), TinyONNX.info("most", [nil, 10]),
                    ]
                }
            ),
        ]

    @Test("of a wrong kind are refused, each with its reason", arguments: refusals.indices)
    func refuses(_ index: Int) throws {
        let refusal = Self.refusals[index]
        var tiny = TinyONNX.classifier()
        refusal.change(&tiny)
        let problem = try #require(throws: Problem.self, "\(refusal.name)") { try open(tiny) }
        #expect(problem.code == refusal.code, "\(refusal.name): \(problem)")
    }

    @Test("that are damaged are refused, or still models")
    func survivesDamage() throws {
        let bytes = try TinyONNX.classifier(channels: 600).bytes()
        for length in Swift.stride(from: 0, to: bytes.count, by: max(bytes.count / 150, 1)) {
            #expect(throws: Problem.self) { try check(open(Array(bytes[..<length]))) }
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                // The description lies at both ends of the weights.
                let place = Int.random(in: 0..<min(bytes.count, 400), using: &generator)
                damaged[Bool.random() ? place : bytes.count - 1 - place] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            do { _ = try check(open(damaged)) } catch is Problem {}
        }
    }

    @Test("cannot describe more than the limit")
    func limitsDescription() throws {
        let bytes = try TinyONNX.classifier(channels: 600).bytes()
        let problem = try #require(throws: Problem.self) {
            try open(bytes, limits: ONNXLimits(maximumDescriptionBytes: 200))
        }
        #expect(problem.code == "onnx-too-large")
    }
}
