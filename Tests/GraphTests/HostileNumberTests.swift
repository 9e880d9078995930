import Support
import Testing

@testable import Graph

@Suite("Numbers that a graph computes")
struct HostileNumberTests {
    /// A graph with the integer that `sym` operators make of 4: 0, a negative one, or a large one.
    private func sketch(_ operation: String, _ number: Int64) -> (Sketch, Graph.SymbolicInt, Graph.Argument) {
        var sketch = Sketch(image: [nil, 4, 8, 8])
        let weight = sketch.weight([4, 4, 3, 3])
        let size = sketch.node("sym::size", ["self": weight, "dim": known(0)])
        var value = sketch.node(operation, ["a": .int(.computed(size)), "b": known(number)])
        if operation == "sym::mul" {
            value = sketch.node("sym::mul", ["a": .int(.computed(value)), "b": .int(.computed(value))])
        }
        return (sketch, .computed(value), weight)
    }

    @Test(
        "are bounded as those that are written out",
        arguments: [
            ("sym::sub", 4), ("sym::sub", 5), ("sym::sub", 1 << 31), ("sym::mul", 1 << 28),
            ("sym::floordiv", 9),
        ]
            as [(String, Int64)])
    func areBounded(_ operation: String, _ number: Int64) {
        let x = Graph.Argument.tensor(0)
        let calls: [(String, (Graph.SymbolicInt, Graph.Argument) -> KeyValuePairs<String, Graph.Argument>)] =
            [
                ("aten::conv2d", { ["input": x, "weight": $1, "stride": .ints([$0, $0])] }),
                ("aten::conv2d", { ["input": x, "weight": $1, "groups": .int($0)] }),
                ("aten::conv2d", { ["input": x, "weight": $1, "dilation": .ints([$0, .known(1)])] }),
                ("aten::max_pool2d", { number, _ in ["self": x, "kernel_size": .ints([number, number])] }),
                (
                    "aten::max_pool2d",
                    { number, _ in ["self": x, "kernel_size": list(2, 2), "stride": .ints([number, number])] }
                ),
                (
                    "aten::im2col",
                    { number, _ in
                        [
                            "self": x, "kernel_size": list(2, 2), "dilation": list(1, 1),
                            "padding": list(0, 0),
                            "stride": .ints([number, number]),
                        ]
                    }
                ),
                (
                    "aten::split.Tensor",
                    { number, _ in ["self": x, "split_size": .int(number), "dim": known(1)] }
                ),
                (
                    "aten::split_with_sizes",
                    { number, _ in ["self": x, "split_sizes": .ints([number]), "dim": known(1)] }
                ),
                ("aten::chunk", { number, _ in ["self": x, "chunks": .int(number), "dim": known(1)] }),
                ("aten::slice.Tensor", { number, _ in ["self": x, "dim": known(1), "step": .int(number)] }),
                ("aten::group_norm", { number, _ in ["input": x, "num_groups": .int(number)] }),
                ("aten::pixel_unshuffle", { number, _ in ["self": x, "downscale_factor": .int(number)] }),
                (
                    "aten::upsample_nearest2d",
                    { number, _ in ["self": x, "output_size": .ints([number, number])] }
                ),
            ]
        for (name, arguments) in calls {
            var (sketch, value, weight) = sketch(operation, number)
            sketch.node(name, arguments(value, weight))
            sketch.classify()
            let problem = #expect(throws: Problem.self, "\(name)") { try sketch.check() }
            #expect(problem?.location?.contains(name) == true, "\(name): \(problem.debugDescription)")
        }
    }

    @Test("are refused where they leave the range of what arithmetic takes")
    func chains() {
        var (sketch, value, _) = sketch("sym::mul", 1 << 20)
        for _ in 0..<3 { value = .computed(sketch.node("sym::mul", ["a": .int(value), "b": .int(value)])) }
        sketch.node("aten::add.Scalar", ["self": .tensor(0), "other": .int(value)])
        sketch.classify()
        #expect(throws: Problem.self) { try sketch.check() }
    }

    /// 8,000 writes in place among 40,000 views of the same memory: compared pair by pair, that took minutes.
    @Test("of views and writes take time that grows with the graph", .timeLimit(.minutes(1)))
    func manyWrites() throws {
        var sketch = Sketch(image: [nil, 4, 8, 8])
        var value = sketch.node("aten::clone", ["self": .tensor(0)])
        for _ in 0..<8_000 {
            let parts = sketch.node(
                "aten::chunk", ["self": .tensor(value), "chunks": known(4), "dim": known(1)], results: 4)
            value = sketch.node("aten::relu_", ["self": .tensor(value)])
            _ = parts
        }
        sketch.graph.output = value
        sketch.classify()
        var limits = GraphLimits()
        limits.maximumTotalElements = .max
        let began = ContinuousClock.now
        #expect(try GraphChecker.check(sketch.graph, weightShapes: [:], limits: limits).graph.classes == 10)
        #expect(began.duration(to: .now) < .seconds(20))
    }
}

@Suite("Checked arithmetic")
struct CheckedTests {
    @Test("gives nil beyond its range")
    func overflows() {
        #expect(Checked.sum(.max, 1) == nil)
        #expect(Checked.difference(.min, 1) == nil)
        #expect(Checked.product(1 << 62, 2) == nil)
        #expect(Checked.product([0, 1 << 62, 1 << 62]) == nil)
        #expect(Checked.product([2, 0, 3]) == 0)
        #expect(Checked.product([2, 3, 4]) == 24)
    }

    @Test("bounds the other sizes of an empty tensor")
    func elements() {
        for shape in [[0, 1 << 62, 1 << 62], [1 << 62, 1 << 62, 0], [-1], [1 << 62, 2], [0, -1]] {
            #expect(Checked.elements(shape) == nil, "\(shape)")
            #expect(Checked.rowMajorStrides(shape) == nil, "\(shape)")
        }
        #expect(Checked.elements([2, 0, 3]) == 0)
        #expect(Checked.elements([]) == 1)
        #expect(Checked.elements([0, 5], limit: 4) == nil)
        #expect(Checked.rowMajorStrides([2, 0, 3]) == [3, 3, 1])
    }

    @Test("finds ranges inside others, and whole numbers")
    func ranges() {
        #expect(Checked.range(2, count: 3, in: 0..<5) == 2..<5)
        for (start, count) in [(2, 4), (-1, 1), (.max, 1), (1, .max), (1, -1), (6, 0)] {
            #expect(Checked.range(start, count: count, in: 0..<5) == nil, "\(start) \(count)")
        }
        for number in [Double.nan, .infinity, -.infinity, 1e300, 9_223_372_036_854_775_808, -1] {
            #expect(Checked.whole(number, in: 0...(.max)) == nil, "\(number)")
        }
        #expect(Checked.whole(2.75, in: 1...3) == 2)
    }
}
