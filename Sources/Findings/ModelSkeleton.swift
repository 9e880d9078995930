/// Where the graph of a model comes from whose file holds weights alone.
public enum ModelSkeleton: Codable, Hashable, Sendable {
    /// A graph that is built in, such as `resnet18`, for square images of this side (nil: its usual one).
    case architecture(String, image: Int?)
    /// The path of a model file with a graph.
    case file(String)
}
