/// Reductions: over the given dimensions, over all when none are given.
extension Tensor {
    private func dimensions(_ list: [Int]) -> OperatorArgument {
        list.isEmpty ? .ints(Array(0..<rank)) : .ints(list)
    }

    public func sum(_ over: [Int] = [], keepDimensions: Bool = false) throws -> Tensor {
        try callOperator(
            "aten::sum", "dim_IntList", [.tensor(self), dimensions(over), .bool(keepDimensions)])
    }

    public func mean(_ over: [Int] = [], keepDimensions: Bool = false) throws -> Tensor {
        try callOperator("aten::mean", "dim", [.tensor(self), dimensions(over), .bool(keepDimensions)])
    }

    /// Unbiased (n - 1) when `correction` is 1.
    public func variance(
        _ over: [Int] = [], correction: Double = 1, keepDimensions: Bool = false
    ) throws -> Tensor {
        try callOperator(
            "aten::var", "correction",
            [.tensor(self), dimensions(over), .double(correction), .bool(keepDimensions)])
    }

    public func standardDeviation(
        _ over: [Int] = [], correction: Double = 1, keepDimensions: Bool = false
    ) throws -> Tensor {
        try callOperator(
            "aten::std", "correction",
            [.tensor(self), dimensions(over), .double(correction), .bool(keepDimensions)])
    }

    public func amax(_ over: [Int] = [], keepDimensions: Bool = false) throws -> Tensor {
        try callOperator("aten::amax", "", [.tensor(self), dimensions(over), .bool(keepDimensions)])
    }

    public func amin(_ over: [Int] = [], keepDimensions: Bool = false) throws -> Tensor {
        try callOperator("aten::amin", "", [.tensor(self), dimensions(over), .bool(keepDimensions)])
    }

    public func argmax(_ dimension: Int, keepDimensions: Bool = false) throws -> Tensor {
        try callOperator("aten::argmax", "", [.tensor(self), .int(dimension), .bool(keepDimensions)])
    }

    public func argmin(_ dimension: Int, keepDimensions: Bool = false) throws -> Tensor {
        try callOperator("aten::argmin", "", [.tensor(self), .int(dimension), .bool(keepDimensions)])
    }

    public func logSumExp(_ over: [Int], keepDimensions: Bool = false) throws -> Tensor {
        try callOperator("aten::logsumexp", "", [.tensor(self), .ints(over), .bool(keepDimensions)])
    }

    /// L`order` norm; `Double.infinity` gives the largest magnitude.
    public func norm(_ over: [Int] = [], order: Double = 2, keepDimensions: Bool = false) throws -> Tensor {
        try callOperator(
            "aten::linalg_vector_norm", "",
            [.tensor(self), .double(order), dimensions(over), .bool(keepDimensions)])
    }

    public func median() throws -> Tensor { try callOperator("aten::median", [.tensor(self)]) }

    /// Linear interpolation between order statistics, over one dimension.
    public func quantile(_ q: Double, dimension: Int = -1, keepDimensions: Bool = false) throws -> Tensor {
        try callOperator(
            "aten::quantile", "scalar",
            [.tensor(self), .double(q), .int(dimension), .bool(keepDimensions)])
    }

    public func cumulativeSum(_ dimension: Int) throws -> Tensor {
        try callOperator("aten::cumsum", [.tensor(self), .int(dimension)])
    }

    public func any() throws -> Tensor { try callOperator("aten::any", [.tensor(self)]) }
    public func all() throws -> Tensor { try callOperator("aten::all", [.tensor(self)]) }

    public func softmax(_ dimension: Int) throws -> Tensor {
        try callOperator("aten::softmax", "int", [.tensor(self), .int(dimension)])
    }

    public func logSoftmax(_ dimension: Int) throws -> Tensor {
        try callOperator("aten::log_softmax", "int", [.tensor(self), .int(dimension)])
    }

    /// The k largest (or smallest) along a dimension, best first, with their indices.
    public func topK(
        _ k: Int, dimension: Int = -1, largest: Bool = true
    ) throws -> (values: Tensor, indices: Tensor) {
        try pair("aten::topk", "", [.tensor(self), .int(k), .int(dimension), .bool(largest)])
    }

    public func sorted(
        _ dimension: Int = -1, descending: Bool = false
    ) throws -> (values: Tensor, indices: Tensor) {
        try pair(
            "aten::sort", "stable", [.tensor(self), .bool(true), .int(dimension), .bool(descending)])
    }

    private func pair(
        _ name: String, _ overload: String, _ arguments: [OperatorArgument]
    ) throws -> (values: Tensor, indices: Tensor) {
        let results = try Operator(name, overload).tensors(arguments)
        guard results.count == 2 else {
            throw TensorError(
                .failed, operatorName: name, message: "returned \(results.count) tensors, not 2")
        }
        return (results[0], results[1])
    }
}
