import Support

extension Tensor {
    /// One index of a dimension, which disappears. A view.
    public func select(_ dimension: Int, _ index: Int) throws -> Tensor {
        try callOperator("aten::select", "int", [.tensor(self), .int(dimension), .int(index)])
    }

    /// `length` indices of a dimension from `start`. A view.
    public func narrow(_ dimension: Int, _ start: Int, _ length: Int) throws -> Tensor {
        try callOperator("aten::narrow", "", [.tensor(self), .int(dimension), .int(start), .int(length)])
    }

    /// Rows of the first dimension. A view.
    public func rows(_ range: Range<Int>) throws -> Tensor {
        try narrow(0, range.lowerBound, range.count)
    }

    /// Copies of the chosen rows of the first dimension, in the order given.
    public func rows(_ indices: [Int]) throws -> Tensor { try indexSelect(0, Tensor(indices)) }

    /// Copies of the chosen indices (int64 vector) of a dimension.
    public func indexSelect(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
        try callOperator("aten::index_select", [.tensor(self), .int(dimension), .tensor(indices)])
    }

    /// Along `dimension`, the element that `indices` (int64, same rank) names.
    public func gather(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
        try callOperator("aten::gather", [.tensor(self), .int(dimension), .tensor(indices)])
    }

    /// For a (N, C) tensor, the element of each row that `columns` (int64, N) names: (N).
    public func pick(_ columns: Tensor) throws -> Tensor {
        try gather(1, columns.unsqueeze(1)).squeeze(1)
    }

    /// A copy with `value` where `indices` point along `dimension`.
    public func scatter(_ dimension: Int, _ indices: Tensor, _ value: Double) throws -> Tensor {
        try callOperator(
            "aten::scatter", "value", [.tensor(self), .int(dimension), .tensor(indices), .double(value)])
    }

    /// The elements where `mask` (bool) holds, as a vector.
    public func masked(_ mask: Tensor) throws -> Tensor {
        try callOperator("aten::masked_select", [.tensor(self), .tensor(mask)])
    }

    /// The indices of what is not zero in a vector.
    public func nonzeroIndices() throws -> Tensor {
        try callOperator("aten::nonzero", [.tensor(self)]).squeeze(1)
    }

    /// Rows of 0 and 1 from class indices (int64).
    public func oneHot(classes: Int, type: ScalarType = .float32) throws -> Tensor {
        try callOperator("aten::one_hot", [.tensor(self), .int(classes)]).to(type)
    }

    public static func cat(_ tensors: [Tensor], _ dimension: Int = 0) throws -> Tensor {
        try callOperator("aten::cat", [.tensors(tensors), .int(dimension)])
    }

    public static func stack(_ tensors: [Tensor], _ dimension: Int = 0) throws -> Tensor {
        try callOperator("aten::stack", [.tensors(tensors), .int(dimension)])
    }

    /// How often each value 0, 1, ... occurs in an int64 vector; at least `minimumLength` entries.
    public func binCount(minimumLength: Int = 0) throws -> Tensor {
        try callOperator("aten::bincount", [.tensor(self), .none, .int(minimumLength)])
    }
}
