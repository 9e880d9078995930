import ArgumentParser
import Foundation
import Tensors

/// Compares the engine with what PyTorch computed for a folder of exported models.
struct CompatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compat", abstract: "Compare the results for exported models with PyTorch's.",
        discussion:
            "The folder is one that Tests/Fixtures/zoo.py or keras_models.py made. Prints one JSON line for each file."
    )

    @Argument(
        help: "The folder of NAME.json, NAME.bin and NAME.FORMAT.pt2, .onnx, .tar, .zip or .safetensors.")
    var folder: String
    @Option(help: "Only architectures whose names contain this.")
    var only: String?

    @Option(
        help:
            "Keep each changed file here, as NAME.FORMAT.pt2 or .onnx, and its logits as NAME.FORMAT.logits.")
    var changed: String?

    func run() throws {
        try LibTorch.checkVersion()
        let url = URL(filePath: folder)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for file in files {
            let parts = file.split(separator: ".").map(String.init)
            guard parts.count == 3, ["pt2", "onnx", "tar", "zip", "safetensors"].contains(parts[2]),
                only.map(file.contains) ?? true,
                files.contains(parts[0] + ".json")
            else { continue }
            let reference = try ZooReference(path: url.appending(path: parts[0] + ".json").path)
            let row = CompatibilityRow(
                model: url.appending(path: file).path, format: parts[1], reference: reference,
                keep: changed.map { URL(filePath: $0).appending(path: file) })
            try FileHandle.standardOutput.write(contentsOf: encoder.encode(row) + Data("\n".utf8))
        }
    }
}
