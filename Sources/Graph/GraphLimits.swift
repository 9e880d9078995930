import Support

/// Bounds on a graph, so that no upload can ask for endless memory or time.
public struct GraphLimits: Hashable, Sendable {
    public var maximumNodes: Int
    public var maximumValues: Int
    /// Elements of one intermediate value, for one image.
    public var maximumElements: Int
    /// Elements of all intermediate values together, for one image.
    public var maximumTotalElements: Int
    /// Multiply-adds of one forward pass of one image.
    public var maximumMultiplyAdds: Int
    public var maximumRank: Int
    /// Width or height of the input image, in pixels.
    public var maximumImageSide: Int
    public var maximumClasses: Int

    public init(
        maximumNodes: Int = 20_000, maximumValues: Int = 100_000, maximumElements: Int = 1 << 27,
        maximumTotalElements: Int = 1 << 31, maximumMultiplyAdds: Int = 1 << 40, maximumRank: Int = 8,
        maximumImageSide: Int = 2_048, maximumClasses: Int = 1 << 20
    ) {
        self.maximumNodes = maximumNodes
        self.maximumValues = maximumValues
        self.maximumElements = maximumElements
        self.maximumTotalElements = maximumTotalElements
        self.maximumMultiplyAdds = maximumMultiplyAdds
        self.maximumRank = maximumRank
        self.maximumImageSide = maximumImageSide
        self.maximumClasses = maximumClasses
    }
}

extension GraphLimits {
    /// The elements of a value for one image, where its shape is bounded and nothing in it is empty.
    func elements(_ shape: Shape, of node: Graph.Node) throws -> Int {
        guard shape.count <= maximumRank else {
            throw GraphFault.tooLarge.problem("The result's rank is \(shape.count).", node: node)
        }
        for size in shape where size.batch < 0 || size.constant < (size.batch == 0 ? 1 : 0) {
            throw GraphFault.shape.problem("The result \(shape.text) is empty.", node: node)
        }
        guard let count = shape.elementCount, count.batch <= maximumElements,
            count.constant <= maximumElements, let atOne = Checked.sum(count.batch, count.constant)
        else {
            throw GraphFault.tooLarge.problem(
                "The result \(shape.text) has more than \(maximumElements) elements for an image.", node: node
            )
        }
        return atOne
    }

    /// The sum, where it is within its limit.
    func add(_ amount: Int, to sum: inout Int, limit: Int, _ what: String, _ node: Graph.Node) throws {
        guard let new = Checked.sum(sum, amount), new <= limit else {
            throw GraphFault.tooLarge.problem("One image needs more than \(limit) \(what).", node: node)
        }
        sum = new
    }
}
