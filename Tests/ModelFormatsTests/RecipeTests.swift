import Foundation
import Testing

@testable import ModelFormats

/// Runs the Python of docs/recipes.md as it stands there, and opens what it writes.
@Suite("The recipes", .enabled(if: Fixtures.python != nil, Fixtures.withoutPython))
struct RecipeTests {
    /// The block behind `<!-- tested: NAME -->`.
    private func recipe(_ name: String) throws -> String {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/recipes.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        let start = try #require(text.range(of: "<!-- tested: \(name) -->\n```python\n"))
        let end = try #require(text.range(of: "\n```", range: start.upperBound..<text.endIndex))
        return String(text[start.upperBound..<end.lowerBound])
    }

    private func run(_ script: String, in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [Fixtures.python ?? "python3", "-c", script]
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let errors = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: errors.suffix(2_000), as: UTF8.self))")
    }

    @Test("of PyTorch go in, and come back")
    func pyTorch() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "burn-recipe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = """
            import torch
            model = torch.nn.Sequential(
                torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
                torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 10))

            """
        try run(model + recipe("export"), in: folder)
        func path(_ name: String) -> String { folder.appending(path: name).path }
        let whole = try openModel(at: path("model.pt2"))
        let alone = try openModel(at: path("model.pth"), skeleton: .file(path("model.pt2")))
        for (file, name) in [(whole, "purified.pt2"), (alone, "purified.pth")] {
            var replacements: [String: ModelFile.WeightBytes] = [:]
            for weight in file.weights {
                replacements[weight.name] = { [UInt8](repeating: 0, count: weight.byteCount) }
            }
            try file.write(replacing: replacements, to: path(name))
        }
        let check =
            "\nassert sum(float(v.abs().sum()) for v in model.parameters()) == 0\n"
            + "assert float(purified(example).abs().sum()) == 0\n"
        try run(model + "example = torch.ones(2, 3, 32, 32)\n" + recipe("back") + check, in: folder)
    }
}
