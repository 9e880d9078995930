import Support

/// What can be wrong with a model file, beside its container and its graph.
enum ModelFault: String {
    case document = "model-document"
    case archive = "model-archive"
    case weights = "model-weights"
    case pickled = "model-pickled-weights"
    case unsafe = "model-unsafe-to-load"
    case tooLarge = "model-file-too-large"
    case version = "model-format-version"
    case replacement = "model-replacement"

    private var title: String {
        switch self {
        case .document: "A description in the model file is damaged"
        case .archive: "The model file is not laid out as torch.export.save writes it"
        case .weights: "The model's table of weights does not fit the file"
        case .pickled: "The model keeps tensors pickled"
        case .unsafe: "Whoever loads the file may run code from it"
        case .tooLarge: "The model file is over a limit"
        case .version: "The model file is of a version that is not supported"
        case .replacement: "The model's new weights do not fit the file"
        }
    }

    private var category: Problem.Category {
        switch self {
        case .document, .archive: .malformed
        case .weights, .unsafe: .unprocessable
        case .pickled, .version: .unsupportedFormat
        case .tooLarge: .tooLarge
        case .replacement: .internal
        }
    }

    private var fix: String? {
        switch self {
        case .document, .archive, .weights, .pickled, .version: ExportAdvice.text()
        case .unsafe:
            "Ask whoever made the file for an export of the plain model, written by PyTorch alone: what was added to it "
                + "would run where it is loaded."
        case .tooLarge: "Use a smaller model, or one whose file holds nothing but the model."
        case .replacement: nil
        }
    }

    func problem(_ detail: String, at location: String? = nil) -> Problem {
        Problem(category, code: rawValue, title: title, detail: detail, location: location, fix: fix)
    }
}

/// How to export a model so that it can be read.
enum ExportAdvice {
    static let newerCheckpoint = """
        Save it again with a PyTorch of today:
          torch.save(torch.load("old.pth", map_location="cpu", weights_only=True), "new.pth")
        """

    static let keras = """
        Export the model to ONNX, without the softmax of its last layer if you can:
          model = keras.models.load_model("model.keras"); model.export("model.onnx", format="onnx")
        """

    static let tensorFlow = """
        Convert it to ONNX with tf2onnx:
          python -m tf2onnx.convert --saved-model FOLDER --output model.onnx --opset 17
        """

    /// - Parameter image: channels, height, width.
    static func text(image: [Int] = [3, 32, 32]) -> String {
        let sizes = ([2] + image).map(String.init).joined(separator: ", ")
        return """
            Export the model with PyTorch 2.13 or newer:
              program = torch.export.export(model.eval(), (torch.zeros(\(sizes)),), \
            dynamic_shapes=({0: torch.export.Dim("batch")},))
              torch.export.save(program, "model.pt2")
            """
    }

    /// The same for ONNX.
    static func onnx(image: [Int] = [3, 32, 32]) -> String {
        let sizes = ([2] + image).map(String.init).joined(separator: ", ")
        return """
            Export the model with a dynamic batch:
              torch.onnx.export(model.eval(), (torch.zeros(\(sizes)),), "model.onnx", dynamo=True, \
            external_data=False, dynamic_shapes=({0: torch.export.Dim("batch")},))
            """
    }
}
