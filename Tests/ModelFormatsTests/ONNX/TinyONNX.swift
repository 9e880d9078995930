import Foundation
import SwiftProtobuf

@testable import ModelFormats

/// ONNX models written by hand.
struct TinyONNX {
    var model = Onnx_ModelProto()

    init(input: [Int?] = [nil, 3, 8, 8], opset: Int = 17) {
        model.irVersion = 8
        model.opsetImport = [.with { $0.version = Int64(opset) }]
        model.graph.input = [Self.info("input", input)]
    }

    static func info(_ name: String, _ shape: [Int?], type: Int32 = 1) -> Onnx_ValueInfoProto {
        .with { info in
            info.name = name
            info.type.tensorType.elemType = type
            info.type.tensorType.shape.dim = shape.map { size in
                .with { if let size { $0.dimValue = Int64(size) } else { $0.dimParam = "batch" } }
            }
        }
    }

    enum Attribute {
        case int(Int)
        case ints([Int])
        case float(Float)
        case string(String)
        case tensor(Onnx_TensorProto)
    }

    mutating func node(
        _ type: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:]
    ) {
        model.graph.node.append(
            .with { node in
                node.opType = type
                node.input = inputs
                node.output = [output]
                node.attribute = attributes.sorted { $0.key < $1.key }.map { name, value in
                    .with { attribute in
                        attribute.name = name
                        switch value {
                        case .int(let number): attribute.i = Int64(number)
                        case .ints(let list): attribute.ints = list.map(Int64.init)
                        case .float(let number): attribute.f = number
                        case .string(let text): attribute.s = Data(text.utf8)
                        case .tensor(let tensor): attribute.t = tensor
                        }
                    }
                }
            })
    }

    static func floats(_ name: String, _ shape: [Int], _ values: [Float]? = nil) -> Onnx_TensorProto {
        let count = shape.reduce(1, *)
        let drawn: [Float] = (0..<count).map { index in Float(index * 7 % 11) / 11 - 0.4 }
        var bytes: [UInt8] = []
        for value in values ?? drawn {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += Array($0) }
        }
        var tensor = Onnx_TensorProto()
        tensor.name = name
        tensor.dims = shape.map { Int64($0) }
        tensor.dataType = 1
        tensor.rawData = Data(bytes)
        return tensor
    }

    static func integers(_ name: String, _ values: [Int], shape: [Int]? = nil) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        tensor.name = name
        tensor.dims = (shape ?? [values.count]).map { Int64($0) }
        tensor.dataType = 7
        tensor.int64Data = values.map { Int64($0) }
        return tensor
    }

    mutating func weight(_ name: String, _ shape: [Int], _ values: [Float]? = nil) {
        model.graph.initializer.append(Self.floats(name, shape, values))
    }

    mutating func constant(_ name: String, _ values: [Int], shape: [Int]? = nil) {
        model.graph.initializer.append(Self.integers(name, values, shape: shape))
    }

    mutating func output(_ name: String) { model.graph.output = [Self.info(name, [nil, 10])] }

    func bytes() throws -> [UInt8] { try model.serializedBytes() }

    /// A convolution, global pooling and a head of 10 classes; `large` makes a kernel that stays in the file.
    static func classifier(input: [Int?] = [nil, 3, 8, 8], channels: Int = 4) -> TinyONNX {
        var tiny = TinyONNX(input: input)
        tiny.weight("conv.weight", [channels, 3, 3, 3])
        tiny.weight("conv.bias", [channels])
        tiny.weight("fc.weight", [10, channels])
        tiny.weight("fc.bias", [10])
        tiny.node("Conv", ["input", "conv.weight", "conv.bias"], "a", ["pads": .ints([1, 1, 1, 1])])
        tiny.node("Relu", ["a"], "b")
        tiny.node("GlobalAveragePool", ["b"], "c")
        tiny.node("Flatten", ["c"], "d")
        tiny.node("Gemm", ["d", "fc.weight", "fc.bias"], "logits", ["transB": .int(1)])
        tiny.output("logits")
        return tiny
    }
}
