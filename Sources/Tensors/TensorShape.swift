import Support

extension Tensor {
    public func reshape(_ shape: [Int]) throws -> Tensor {
        try callOperator("aten::reshape", [.tensor(self), .ints(shape)])
    }

    /// Merges the dimensions from `start` to `end` into one.
    public func flatten(from start: Int = 0, to end: Int = -1) throws -> Tensor {
        try callOperator("aten::flatten", "using_ints", [.tensor(self), .int(start), .int(end)])
    }

    public func permute(_ order: [Int]) throws -> Tensor {
        try callOperator("aten::permute", [.tensor(self), .ints(order)])
    }

    public func transpose(_ a: Int = -2, _ b: Int = -1) throws -> Tensor {
        try callOperator("aten::transpose", "int", [.tensor(self), .int(a), .int(b)])
    }

    public func unsqueeze(_ dimension: Int) throws -> Tensor {
        try callOperator("aten::unsqueeze", [.tensor(self), .int(dimension)])
    }

    public func squeeze(_ dimension: Int) throws -> Tensor {
        try callOperator("aten::squeeze", "dim", [.tensor(self), .int(dimension)])
    }

    public func expand(_ shape: [Int]) throws -> Tensor {
        try callOperator("aten::expand", [.tensor(self), .ints(shape)])
    }

    public func repeated(_ counts: [Int]) throws -> Tensor {
        try callOperator("aten::repeat", [.tensor(self), .ints(counts)])
    }

    /// A (count, 1, ..., 1) view of a vector, to broadcast against a batch of `rank` dimensions.
    public func perSample(rank: Int) throws -> Tensor {
        try reshape([-1] + [Int](repeating: 1, count: Swift.max(rank - 1, 0)))
    }

    public func flip(_ dimensions: [Int]) throws -> Tensor {
        try callOperator("aten::flip", [.tensor(self), .ints(dimensions)])
    }

    public func roll(_ shifts: [Int], _ dimensions: [Int]) throws -> Tensor {
        try callOperator("aten::roll", [.tensor(self), .ints(shifts), .ints(dimensions)])
    }

    public enum Padding: Hashable, Sendable {
        case constant(Double)
        /// Mirrored at the edge, which is not repeated.
        case reflect
    }

    /// Pads the last dimensions; `amounts` are (before, after) pairs from the last dimension backwards.
    public func pad(_ amounts: [Int], _ padding: Padding = .constant(0)) throws -> Tensor {
        switch padding {
        case .constant(let value):
            try callOperator(
                "aten::pad", [.tensor(self), .ints(amounts), .string("constant"), .double(value)])
        case .reflect:
            try callOperator("aten::pad", [.tensor(self), .ints(amounts), .string("reflect"), .none])
        }
    }

    // Memory

    public func to(_ type: ScalarType) throws -> Tensor {
        try callOperator("aten::to", "dtype", [.tensor(self), .scalarType(type)])
    }

    /// Row-major.
    public func contiguous() throws -> Tensor {
        try callOperator("aten::contiguous", [.tensor(self), .memoryFormat(0)])
    }

    /// (N, C, H, W) with channels innermost in memory: convolutions are faster so.
    public func channelsLast() throws -> Tensor {
        isChannelsLast
            ? self : try callOperator("aten::contiguous", [.tensor(self), .memoryFormat(2)])
    }

    public func clone() throws -> Tensor { try callOperator("aten::clone", [.tensor(self)]) }

    /// The same memory, cut off from the gradient's graph.
    public func detach() throws -> Tensor { try callOperator("aten::detach", [.tensor(self)]) }

    // In place. Not inside a graph that still needs the old values.

    private func write(_ name: String, _ overload: String = "", _ arguments: [OperatorArgument]) throws {
        _ = try Operator(name, overload)([.tensor(self)] + arguments)
    }

    /// Broadcasts and converts.
    public func copyInPlace(_ source: Tensor) throws { try write("aten::copy_", "", [.tensor(source)]) }
    public func fillInPlace(_ value: Double) throws { try write("aten::fill_", "Scalar", [.double(value)]) }

    /// self += scale * other
    public func addInPlace(_ other: Tensor, scale: Double = 1) throws {
        try write("aten::add_", "Tensor", [.tensor(other), .double(scale)])
    }

    public func multiplyInPlace(_ other: Tensor) throws {
        try write("aten::mul_", "Tensor", [.tensor(other)])
    }

    public func multiplyInPlace(_ value: Double) throws {
        try write("aten::mul_", "Scalar", [.double(value)])
    }

    public func clampInPlace(_ low: Double?, _ high: Double?) throws {
        try write("aten::clamp_", "", [low.map { .double($0) } ?? .none, high.map { .double($0) } ?? .none])
    }

    /// 1 with probability `p`, else 0.
    public func bernoulliInPlace(_ p: Double, generator: Generator) throws {
        try write("aten::bernoulli_", "float", [.double(p), .generator(generator)])
    }

    /// Writes `source` to the rows `indices` of `dimension`.
    public func indexCopyInPlace(_ dimension: Int, _ indices: Tensor, _ source: Tensor) throws {
        try write("aten::index_copy_", "", [.int(dimension), .tensor(indices), .tensor(source)])
    }
}
