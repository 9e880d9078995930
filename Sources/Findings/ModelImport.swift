/// What a model was uploaded with, where its file holds weights alone or has several outputs. Names are those of the REST API.
public struct ModelImport: Codable, Hashable, Sendable {
    /// A graph that is built in.
    public var architecture: String?
    /// The side of the architecture's square images, where it is not the usual one.
    public var image: Int?
    /// The id of a model whose graph the weights are read into.
    public var skeleton: String?
    /// Which copy of the weights is read, where the file holds several.
    public var weights: String?
    /// Of a model with several outputs: the name or number of the logits.
    public var output: String?

    public init(
        architecture: String? = nil, image: Int? = nil, skeleton: String? = nil, weights: String? = nil,
        output: String? = nil
    ) {
        self.architecture = architecture
        self.image = image
        self.skeleton = skeleton
        self.weights = weights
        self.output = output
    }

    /// The names that `architecture` may have: graphs that are built in.
    public static let architectures = [
        "convnext_tiny", "densenet161", "efficientnet_b0", "mobilenet_v2", "preactresnet18", "resnet18",
        "resnet18_cifar", "resnet18_small_stem", "vgg16_bn", "vgg19_bn", "vit_b_16", "wrn-16-1", "wrn-28-10",
    ]
}
