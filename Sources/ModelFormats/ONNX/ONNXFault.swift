import Support

/// What can be wrong with an ONNX file, beside its graph.
enum ONNXFault: String {
    case damaged = "onnx-damaged"
    case version = "onnx-version"
    case external = "onnx-external-data"
    case functions = "onnx-functions"
    case tooLarge = "onnx-too-large"
    case weights = "onnx-weights"
    case `operator` = "onnx-operator"
    case input = "onnx-input"

    private var title: String {
        switch self {
        case .damaged: "The ONNX file is damaged"
        case .version: "The ONNX file is of a version that is not supported"
        case .external: "The ONNX model keeps its weights in other files"
        case .functions: "The ONNX model uses functions of its own"
        case .tooLarge: "The ONNX file is over a limit"
        case .weights: "A tensor of the ONNX model does not fit its description"
        case .operator: "The ONNX model uses an operator in a way that is not supported"
        case .input: "The ONNX model's input is not one batch of images"
        }
    }

    private var category: Problem.Category {
        switch self {
        case .damaged: .malformed
        case .version: .unsupportedFormat
        case .tooLarge: .tooLarge
        case .external, .functions, .weights, .operator, .input: .unprocessable
        }
    }

    func problem(_ detail: String, at location: String? = nil, fix: String? = nil) -> Problem {
        Problem(
            category, code: rawValue, title: title, detail: detail, location: location,
            fix: fix ?? self.fix)
    }

    private var fix: String? {
        switch self {
        case .damaged, .weights:
            "Compare its SHA-256 with the original's, or export it again: torch.onnx.export(model.eval(), (images,), "
                + "\"model.onnx\", dynamo=True)"
        case .tooLarge: "Use a smaller model, or one whose file holds nothing but the model."
        case .version:
            "Convert it to opset 17: onnx.save(onnx.version_converter.convert_version(onnx.load(\"model.onnx\"), 17), "
                + "\"model-17.onnx\")"
        case .external:
            "Pack the model with its data files: tar -cf model.tar model.onnx model.onnx.data; or save it as one file: "
                + "onnx.save_model(onnx.load(\"model.onnx\"), \"single.onnx\", save_as_external_data=False)"
        case .functions:
            "Expand them: onnx.save(onnx.inliner.inline_local_functions(onnx.load(\"model.onnx\")), \"plain.onnx\")"
        case .operator, .input:
            "Export the plain classifier, with a dynamic batch: torch.onnx.export(model.eval(), (images,), "
                + "\"model.onnx\", dynamic_shapes=({0: torch.export.Dim(\"batch\")},), dynamo=True)"
        }
    }
}
