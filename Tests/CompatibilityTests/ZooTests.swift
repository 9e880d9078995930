import Compatibility
import Foundation
import Testing

/// Architectures that differ in their operators, exported by PyTorch when the tests run. `burn-bench compat`
/// compares all of Tests/Fixtures/zoo.py.
@Suite(
    "Classifiers of torchvision",
    .enabled(
        if: Zoo.python != nil,
        "no torchvision: set BURN_PYTHON to a Python that imports torch, torchvision and onnx")
)
struct ZooTests {
    static let names = ["convnext", "mobilenet_v3_small", "shufflenet_v2", "swin", "vit"]
    static let formats = ["pt2.pt2", "decomposed.pt2", "onnx.onnx", "legacy.onnx"]

    @Test(
        "give PyTorch's logits, gradients and training step, and survive being written", arguments: names,
        formats)
    func agrees(_ name: String, _ format: String) throws {
        let folder = try Zoo.folder.get()
        let path = folder.appending(path: "\(name).\(format)").path
        // PyTorch's ONNX exporters do not know every model.
        guard format.hasSuffix("pt2") || FileManager.default.fileExists(atPath: path) else { return }
        let reference = try ZooReference(path: folder.appending(path: name + ".json").path)
        let row = CompatibilityRow(model: path, format: format, reference: reference)
        #expect(row.isGood(forwardBound: format.hasSuffix("onnx") ? 1e-4 : 1e-5), "\(row)")
        if format.hasSuffix("pt2") { #expect(row.comparedParameters == row.referenceParameters) }
    }
}

enum Zoo {
    /// The Python with all that the zoo needs.
    static let python: String? = {
        guard let python = ProcessInfo.processInfo.environment["BURN_PYTHON"],
            (try? run(
                python,
                ["-c", "import onnx, onnxscript, torch, importlib.metadata as m; m.version('torchvision')"]))
                == 0
        else { return nil }
        return python
    }()

    struct Failed: Error {
        var status: Int32
    }

    /// Made once for all tests; `BURN_ZOO` names a folder that is kept.
    static let folder: Result<URL, any Error> = Result {
        if let kept = ProcessInfo.processInfo.environment["BURN_ZOO"] { return URL(filePath: kept) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "burn-zoo-\(UUID().uuidString)")
        let script = URL(filePath: #filePath).appending(path: "../../Fixtures/zoo.py").standardized.path
        let arguments =
            [script, "export", folder.path] + ZooTests.names + ["--formats", "pt2,decomposed,onnx,legacy"]
        let status = try run(python ?? "python3", arguments)
        guard status == 0 else { throw Failed(status: status) }
        return folder
    }

    private static func run(_ python: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [python] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
