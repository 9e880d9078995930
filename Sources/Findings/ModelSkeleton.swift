/// Where the graph of a model comes from whose file holds weights alone.
public enum ModelSkeleton: Codable, Hashable, Sendable {
    /// A graph that is built in, such as `resnet18`, for square images of this side (nil: its usual one).
    /// - `weights`: which copy of the weights is read, where the file holds several.
    case architecture(String, image: Int?, weights: String? = nil)
    /// The path of a model file with a graph.
    case file(String, weights: String? = nil)
    /// The file's own graph: of several outputs, the one of this name or number.
    case output(String)
}
