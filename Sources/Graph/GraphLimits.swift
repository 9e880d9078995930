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
