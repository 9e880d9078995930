import Graph

/// Bounds on a model upload, checked before anything is allocated by what the file says.
public struct ModelLimits: Hashable, Sendable {
    /// Bytes of the whole file.
    public var maximumFileBytes: Int
    /// Entries of the archive.
    public var maximumEntries: Int
    /// Bytes of one JSON document.
    public var maximumJSONBytes: Int
    public var maximumJSONDepth: Int
    /// Weights and constants together, in bytes.
    public var maximumWeightBytes: Int
    public var maximumWeights: Int
    public var graph: GraphLimits

    public init(
        maximumFileBytes: Int = 16 << 30, maximumEntries: Int = 65_536, maximumJSONBytes: Int = 64 << 20,
        maximumJSONDepth: Int = 64, maximumWeightBytes: Int = 8 << 30, maximumWeights: Int = 32_768,
        graph: GraphLimits = GraphLimits()
    ) {
        self.maximumFileBytes = maximumFileBytes
        self.maximumEntries = maximumEntries
        self.maximumJSONBytes = maximumJSONBytes
        self.maximumJSONDepth = maximumJSONDepth
        self.maximumWeightBytes = maximumWeightBytes
        self.maximumWeights = maximumWeights
        self.graph = graph
    }

    /// Those of an ONNX file.
    var onnx: ONNXLimits {
        ONNXLimits(
            maximumDescriptionBytes: min(maximumJSONBytes, 32 << 20), maximumWeightBytes: maximumWeightBytes,
            maximumWeights: maximumWeights, graph: graph)
    }
}
