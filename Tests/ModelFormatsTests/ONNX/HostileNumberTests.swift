import Containers
import Foundation
import Graph
import Support
import Testing

@testable import ModelFormats

@Suite("Numbers of ONNX models")
struct HostileNumberTests {
    private func open(_ change: (inout TinyONNX) -> Void, limits: ONNXLimits = ONNXLimits()) throws
        -> ONNXModel
    {
        var tiny = TinyONNX.classifier()
        change(&tiny)
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(tiny.bytes()).write(to: URL(filePath: path))
        let file = try RandomAccessFile(path: path)
        return try ONNXModel(
            file, range: 0..<file.size, images: ImageSize(height: 8, width: 8), limits: limits)
    }

    /// Neither a trap nor an allocation of what the shapes say: read, or refused with the node's or tensor's name.
    private func survives(_ change: (inout TinyONNX) -> Void) {
        do { _ = try open(change) } catch {
            #expect(error is Problem, "\(error)")
        }
    }

    @Test(
        "of empty shapes choose no length",
        arguments: [
            [0, 1 << 62, 1 << 62], [0, 1 << 50], [1 << 62, 0], [0, .max], [1 << 40, 0, 1 << 40],
            [0, 4_096, 4_096], [0],
        ])
    func emptyShapes(_ shape: [Int]) {
        let operators = [
            "Add", "Sub", "Mul", "Mod", "Equal", "Where", "Concat", "Gather", "Slice", "Reshape", "Expand",
            "Tile", "Unsqueeze",
            "Squeeze", "Transpose", "Flatten", "ScatterND", "GatherND", "Cast", "Neg", "ReduceSum",
            "ConstantOfShape",
            "Identity", "Shape", "Size", "GatherElements", "Min", "Range",
        ]
        for name in operators {
            for inputs in [
                ["e"], ["e", "i"], ["i", "e"], ["e", "i", "i"], ["e", "e", "e"],
            ] {
                survives { tiny in
                    tiny.constant("e", [], shape: shape)
                    tiny.constant("i", [0])
                    tiny.node(name, inputs, "r", ["axis": .int(0), "to": .int(7)])
                }
            }
        }
    }

    @Test("at the ends of 64 bits stay there")
    func extremes() {
        let numbers = [Int.max, .min, .max - 1, -1, 0]
        for a in numbers {
            for b in numbers {
                for name in ["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Pow", "Equal", "Less"] {
                    survives { tiny in
                        tiny.constant("a", [a, b])
                        tiny.constant("b", [b, a])
                        tiny.node(name, ["a", "b"], "r")
                        tiny.node("Cast", ["r"], "s", ["to": .int(1)])
                        tiny.node("Cast", ["s"], "t", ["to": .int(7)])
                    }
                }
                survives { tiny in
                    tiny.constant("a", [a], shape: [])
                    tiny.constant("b", [b], shape: [])
                    tiny.constant("c", [1], shape: [])
                    tiny.node("Range", ["a", "b", "c"], "r")
                    tiny.node("Range", ["b", "a", "b"], "s")
                }
                survives { tiny in
                    for (name, list) in [("k", [1, 2, 3]), ("a", [a]), ("b", [b]), ("z", [0])] {
                        tiny.constant(name, list)
                    }
                    tiny.node("Slice", ["k", "a", "b", "z", "a"], "r")
                    tiny.node("Slice", ["k", "b", "a", "z", "b"], "s")
                }
            }
        }
    }

    @Test(
        "with a point that are none are refused",
        arguments: [Float.nan, .infinity, -.infinity, 1e30, -1, 0, 1e-30])
    func scales(_ scale: Float) {
        let problem = #expect(throws: Problem.self) {
            try open { tiny in
                tiny.weight("scales", [4], [1, 1, scale, scale])
                tiny.node("Resize", ["input", "", "scales"], "r", ["mode": .string("linear")])
            }
        }
        #expect(problem?.location?.contains("Resize") == true)
    }

    @Test("that a range holds beyond 64 bits are not computed")
    func range() throws {
        let problem = #expect(throws: Problem.self) {
            try open { tiny in
                tiny.constant("start", [.max], shape: [])
                tiny.constant("end", [.max], shape: [])
                tiny.model.graph.initializer.append(TinyONNX.floats("far", [], [9.3e18]))
                tiny.constant("step", [1], shape: [])
                tiny.model.graph.initializer.append(TinyONNX.floats("farther", [], [9.30001e18]))
                tiny.node("Range", ["start", "farther", "step"], "r")
                tiny.node("Expand", ["input", "r"], "s")
            }
        }
        #expect(problem != nil)
    }

    @Test("are computed as often as that takes bounded time and memory")
    func budget() {
        let problem = #expect(throws: Problem.self) {
            try open { tiny in
                tiny.constant("k", Array(0..<4_096))
                for index in 0..<2_000 { tiny.node("Identity", ["k"], "r\(index)") }
            }
        }
        #expect(problem?.code == "onnx-too-large")
        let wide = #expect(throws: Problem.self) {
            try open { tiny in
                tiny.constant("k", [1])
                tiny.node("Concat", Array(repeating: "k", count: 5_000), "r", ["axis": .int(0)])
            }
        }
        #expect(wide?.code == "onnx-too-large")
    }

    @Test("of few bytes that become many are counted before they are decoded")
    func decoding() {
        var limits = ONNXLimits()
        limits.maximumDescriptionBytes = 1 << 20
        let problem = #expect(throws: Problem.self) {
            try open(
                { tiny in tiny.model.graph.node += Array(repeating: .init(), count: 50_000) }, limits: limits)
        }
        #expect(problem?.code == "onnx-too-large")
    }
}
