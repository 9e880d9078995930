import Containers
import Foundation
import Support
import Testing
import ZipFixtures

@testable import ModelFormats

@Suite("The shared cases", .enabled(if: Fixtures.cases != nil, Fixtures.withoutCases))
struct CaseTests {
    @Test("are read", arguments: ["badnets", "trojan_wm", "clean"])
    func reads(_ name: String) throws {
        let folder = try #require(Fixtures.cases)
        let model = try openModel(at: folder.appending(path: "\(name)/model.pt2").path)
        #expect(model.summary.inputShape == [nil, 3, 32, 32])
        #expect(model.summary.inputType == "float32")
        #expect(model.summary.classes == 10)
        #expect(model.summary.parameters == 308_394)
        #expect(model.summary.operators["aten::conv2d"] == 6)
        #expect(model.weights.count == 38)
        for weight in model.weights {
            #expect(try model.readWeight(weight).count == weight.shape.reduce(4, *))
        }
    }

    @Test("are copied entry for entry but for the replaced weight and the pickled sample inputs")
    func writes() throws {
        let folder = try #require(Fixtures.cases)
        let path = folder.appending(path: "badnets/model.pt2").path
        let model = try openModel(at: path)
        let weight = try #require(model.weights.first { $0.name == "features.0.bias" })
        let copy = try TemporaryFile()
        let bytes = Array(repeating: UInt8(7), count: weight.byteCount)
        try model.write(replacing: [weight.name: { bytes }], to: copy.path)
        let (old, new) = (try ZipArchive(path: path), try ZipArchive(path: copy.path))
        #expect(old.entries.map(\.name) == new.entries.map(\.name))
        let replaced = try #require(model.sources[weight.name]?.copies.first?.entry?.name)
        for (before, after) in zip(old.entries, new.entries) {
            let content = try new.contents(of: after, limit: 1 << 30)
            if after.name == replaced {
                #expect(content == bytes)
            } else if after.name.contains("/sample_inputs/") {
                #expect(content == [])
            } else {
                #expect(try content == old.contents(of: before, limit: 1 << 30), "\(after.name)")
            }
        }
        #expect(try openModel(at: copy.path).readWeight(weight) == bytes)
    }

    @Test("in ONNX, packed with a file that the model does not read, are refused")
    func refusesOtherFiles() throws {
        let folder = try #require(Fixtures.cases)
        let model = [UInt8](try Data(contentsOf: folder.appending(path: "clean/model.onnx")))
        let file = try TemporaryFile()
        for others in [[], [ZipBuilder.Entry("setup.py", "import os")]] {
            let bytes = ZipBuilder([.init("model.onnx", model)] + others).build()
            try Data(bytes).write(to: URL(filePath: file.path))
            if others.isEmpty {
                _ = try openModel(at: file.path)
            } else {
                let problem = try #require(throws: Problem.self) { try openModel(at: file.path) }
                #expect(problem.code == "model-unsafe-to-load" && problem.location == "setup.py")
            }
        }
    }

    @Test("refuse replacements that do not fit, and leave nothing behind")
    func refusesReplacements() throws {
        let folder = try #require(Fixtures.cases)
        let model = try openModel(at: folder.appending(path: "clean/model.pt2").path)
        let copy = try TemporaryFile()
        #expect(throws: (any Error).self) {
            try model.write(replacing: ["features.0.bias": { [1, 2, 3] }], to: copy.path)
        }
        #expect(throws: (any Error).self) { try model.write(replacing: ["nobody": { [] }], to: copy.path) }
        let name = URL(filePath: copy.path).lastPathComponent
        let left = try FileManager.default.contentsOfDirectory(
            atPath: FileManager.default.temporaryDirectory.path)
        #expect(!left.contains { $0.hasPrefix(name) })
    }

    @Test(
        "as safetensors are the same model as the .pt2 that is their skeleton",
        arguments: ["badnets", "clean"])
    func readsSafetensors(_ name: String) throws {
        let folder = try #require(Fixtures.cases).appending(path: name).path
        let whole = try openModel(at: folder + "/model.pt2")
        let alone = try openModel(
            at: folder + "/model.safetensors", skeleton: .file(folder + "/model.pt2"))
        #expect(alone.graph == whole.graph)
        #expect(alone.summary.format == "safetensors")
        for weight in whole.weights {
            #expect(try alone.readWeight(weight) == whole.readWeight(weight), "\(weight.name)")
        }
    }

    @Test("as safetensors alone are refused with what they need")
    func refusesWithoutGraph() throws {
        let path = try #require(Fixtures.cases).appending(path: "clean/model.safetensors").path
        #expect(try ModelFormat.recognise(path: path) == .safetensors)
        let problem = #expect(throws: Problem.self) { try openModel(at: path) }
        #expect(problem?.code == "weights-need-skeleton")
        #expect(problem?.fix?.contains("skeleton=MODEL_ID") == true)
    }

    @Test("in ONNX are written back with nothing but their weights changed")
    func writesONNX() throws {
        let path = try #require(Fixtures.cases).appending(path: "clean/model.onnx").path
        let model = try openModel(at: path)
        #expect(model.summary.format == "onnx")
        #expect(model.graph.imageShape == [nil, 3, 32, 32])
        let copy = try TemporaryFile()
        let weight = try #require(model.weights.first { $0.name == "features.0.weight" })
        let zeros = Array(repeating: UInt8(0), count: weight.byteCount)
        try model.write(replacing: [weight.name: { zeros }], to: copy.path)
        let (old, new) = (
            try Data(contentsOf: URL(filePath: path)), try Data(contentsOf: URL(filePath: copy.path))
        )
        let range = weight.fileOffset..<weight.fileOffset + weight.byteCount
        #expect(old[..<range.lowerBound] == new[..<range.lowerBound])
        #expect(old[range.upperBound...] == new[range.upperBound...])
        #expect(Array(new[range]) == zeros)
        #expect(try openModel(at: copy.path).graph == model.graph)
    }
}
