import Support

/// What can be wrong with a graph: one stable code and title each.
public enum GraphFault: String, Sendable {
    case `operator` = "model-operator-not-allowed"
    case argument = "model-operator-argument"
    case structure = "model-graph-structure"
    case shape = "model-shape"
    case tooLarge = "model-too-large"
    case input = "model-input"
    case output = "model-output"
    case weightWritten = "model-writes-weights"
    case fixedBatch = "model-fixed-batch"
    case imageSize = "model-image-size"

    private var title: String {
        switch self {
        case .operator: "The model uses an operator that is not allowed"
        case .argument: "An operator of the model has an argument that is not allowed"
        case .structure: "The model's graph is damaged"
        case .shape: "The shapes in the model do not fit together"
        case .tooLarge: "The model is over a limit"
        case .input: "The model's input is not one batch of images"
        case .output: "The model's output is not one row of logits for each image"
        case .weightWritten: "The model changes its weights while it runs"
        case .fixedBatch: "The model runs with one batch size only"
        case .imageSize: "The model does not take images of this size"
        }
    }

    public func problem(_ detail: String, node: Graph.Node? = nil, fix: String? = nil) -> Problem {
        Problem(
            self == .tooLarge ? .tooLarge : .unprocessable, code: rawValue, title: title, detail: detail,
            location: node.map { "node \($0.name) (\($0.qualifiedName))" }, fix: fix ?? self.fix)
    }

    public static let otherOperators =
        "Write the layer that uses it with operators of the list in docs/compatibility.md, or leave it out of what you "
        + "export; or ask for the operator to be added."

    /// What helps where nothing more is known.
    private var fix: String {
        switch self {
        case .operator:
            GraphFault.otherOperators
        case .argument:
            "Write the layer with plain layers of torch.nn, and export the model for inference (model.eval())."
        case .structure: "Export the model again, and compare the file's SHA-256 where it was copied."
        case .shape: "Run the model on a batch of two and of three images; export it again once that works."
        case .tooLarge: "Use a smaller model, or smaller images."
        case .input:
            "Export a module whose forward takes one batch of images (N, channels, height, width) alone."
        case .output: "Export a module whose forward returns the logits alone, one row for each image."
        case .weightWritten: "Export the model in evaluation mode, with model.eval()."
        case .fixedBatch:
            "Export the model with an open batch: dynamic_shapes=({0: torch.export.Dim(\"batch\")},)."
        case .imageSize: "Import the images at a size that the model takes: resize=HxW."
        }
    }
}

extension Graph.Node {
    /// Such as `aten::add.Tensor`.
    public var qualifiedName: String { overload.isEmpty ? operatorName : operatorName + "." + overload }

    public func argument(_ name: String) -> Graph.Argument? { arguments.first { $0.name == name }?.value }

    /// Every value that the node reads.
    public var reads: [Graph.ValueID] {
        arguments.flatMap { argument -> [Graph.ValueID] in
            switch argument.value {
            case .tensor(let value), .int(.computed(let value)): [value]
            case .tensors(let values): values
            case .optionalTensors(let values): values.compactMap { $0 }
            case .ints(let values):
                values.compactMap { if case .computed(let value) = $0 { value } else { nil } }
            default: []
            }
        }
    }
}
