import Execution
import Findings
import Foundation
import ModelFormats
import Tensors
import Testing

@testable import burn_bench

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

    @Test(
        "in ONNX with their weights in a file beside it come back in the same archive",
        arguments: ["external.tar", "stored.zip"])
    func external(_ format: String) throws {
        let folder = try Zoo.folder.get()
        let path = folder.appending(path: "mobilenet_v3_small." + format).path
        let reference = try ZooReference(path: folder.appending(path: "mobilenet_v3_small.json").path)
        let kept = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString)." + format)
        defer {
            try? FileManager.default.removeItem(at: kept)
            try? FileManager.default.removeItem(
                at: kept.deletingPathExtension().appendingPathExtension("logits"))
        }
        let row = CompatibilityRow(model: path, format: format, reference: reference, keep: kept)
        #expect(row.isGood(forwardBound: 1e-4), "\(row)")
        // Other bytes for the weights, and for a zip's checksums; all else as it was.
        let (old, new) = (try Data(contentsOf: URL(filePath: path)), try Data(contentsOf: kept))
        #expect(old.count == new.count && old != new)
    }

    @Test("that are built in take weights alone", arguments: ["wrn-16-1", "resnet18_small_stem"])
    func builtIn(_ name: String) throws {
        let folder = try Zoo.folder.get()
        let reference = try ZooReference(path: folder.appending(path: name + ".json").path)
        let row = CompatibilityRow(
            model: folder.appending(path: name + ".alone.safetensors").path, format: "alone",
            reference: reference)
        #expect(row.isGood(), "\(row)")
        #expect(row.comparedParameters == row.referenceParameters)
    }
}

/// Real models of others, in three files each.
@Suite("The shared cases", .enabled(if: Zoo.cases != nil, "no shared cases: set BURN_CASES"))
struct SharedCases {
    @Test("give the same logits as .pt2, ONNX and safetensors", arguments: ["badnets", "clean", "trojan_wm"])
    func sameLogits(name: String) throws {
        let folder = try #require(Zoo.cases) + "/" + name
        let values: [Float] = (0..<8 * 3_072).map { Float(($0 &* 7_919) % 256) / 255 }
        let images = try Tensor(values, shape: [8, 3, 32, 32])
        func logits(_ file: String, _ skeleton: ModelSkeleton? = nil) throws -> [Float] {
            let file = try openModel(at: folder + "/" + file, skeleton: skeleton)
            let model = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
            return try model.forward(images, mode: .inference).array(as: Float.self)
        }
        let whole = try logits("model.pt2")
        let largest = try #require(whole.map { abs($0) }.max())
        #expect(whole.count == 80 && largest > 1)
        for (file, skeleton) in [
            ("model.onnx", nil), ("model.safetensors", ModelSkeleton.file(folder + "/model.pt2")),
            ("model.safetensors", .file(folder + "/model.onnx")),
        ] {
            let found = try logits(file, skeleton)
            let worst = try #require(zip(whole, found).map { abs($0 - $1) }.max())
            #expect(found.count == 80 && worst <= 1e-5 * largest, "\(file): \(worst) of \(largest)")
        }
    }
}

enum Zoo {
    static let cases = ProcessInfo.processInfo.environment["BURN_CASES"]

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
        let beside = [
            [script, "export", folder.path, "mobilenet_v3_small", "--formats", "external"],
            [script, "built-in", folder.path, "wrn-16-1", "resnet18_small_stem"],
        ]
        for arguments in beside + [arguments] {
            let status = try run(python ?? "python3", arguments)
            guard status == 0 else { throw Failed(status: status) }
        }
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
