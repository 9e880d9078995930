import Foundation
import Graph
import Support
import Testing

@testable import ModelFormats

@Suite("Weights alone, as PyTorch saves them", .enabled(if: Fixtures.python != nil, Fixtures.withoutPython))
struct WeightsAloneTests {
    private func path(_ name: String) throws -> String {
        try Fixtures.weights.get().appending(path: name).path
    }

    private func open(_ name: String) throws -> ModelFile {
        try openModel(at: path(name), skeleton: .file(path("net.pt2")))
    }

    private func problem(_ name: String) throws -> Problem {
        let problem = #expect(throws: Problem.self) { try open(name) }
        return try #require(problem)
    }

    private func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    @Test(
        "feed the skeleton",
        arguments: [
            "plain.pth", "nested.pth", "module.pth", "parameters.pth", "views.pth", "attack_result.pt",
            "net.safetensors",
        ])
    func feeds(_ name: String) throws {
        let whole = try openModel(at: path("net.pt2"))
        let alone = try open(name)
        #expect(alone.graph == whole.graph)
        #expect(alone.weights == whole.weights)
        for weight in whole.weights {
            #expect(try alone.readWeight(weight) == whole.readWeight(weight), "\(weight.name)")
        }
    }

    @Test(
        "of another floating-point type are rounded as PyTorch does",
        arguments: ["half.pth", "bfloat.safetensors"])
    func converts(_ name: String) throws {
        let whole = try openModel(at: path("net.pt2"))
        let alone = try open(name)
        for weight in whole.weights {
            let exact = floats(try whole.readWeight(weight))
            let rounded = floats(try alone.readWeight(weight))
            let step: Float = name == "half.pth" ? 0x1p-11 : 0x1p-8
            for (a, b) in zip(exact, rounded) { #expect(abs(a - b) <= abs(a) * step, "\(weight.name)") }
        }
    }

    private static let containers = [
        "plain.pth", "nested.pth", "module.pth", "half.pth", "views.pth", "attack_result.pt",
        "net.safetensors",
    ]

    /// Doubled weights are written; PyTorch reads the files and finds the doubled sums.
    @Test("come back in their container")
    func comeBack() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "burn-back-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var files: [String] = []
        for name in Self.containers {
            let model = try open(name)
            let copy = folder.appending(path: name).path
            var replacements: [String: ModelFile.WeightBytes] = [:]
            for weight in model.weights {
                let doubled = floats(try model.readWeight(weight)).map { $0 * 2 }
                replacements[weight.name] = { doubled.withUnsafeBytes { Array($0) } }
            }
            try model.write(replacing: replacements, to: copy)
            #expect(try model.copy(at: copy).graph == model.graph)
            files += [try path(name), copy]
        }
        let shown = try JSONDecoder().decode(
            [String: [String: Double]].self, from: Fixtures.runPython(["show"] + files, script: "weights.py"))
        for name in Self.containers {
            let before = try #require(shown[path(name)])
            let after = try #require(shown[folder.appending(path: name).path])
            #expect(before.count == 9, "\(name)")
            #expect(before.keys == after.keys, "\(name)")
            for (key, sum) in before {
                let expected = key.hasSuffix("num_batches_tracked") ? sum : 2 * sum
                #expect(abs((after[key] ?? .nan) - expected) <= 1e-6 * abs(expected), "\(name) \(key)")
            }
            // All but the tensors and their checksums is as it was.
            let sizes = try [path(name), folder.appending(path: name).path].map {
                try Data(contentsOf: URL(filePath: $0)).count
            }
            #expect(sizes[0] == sizes[1])
        }
    }

    @Test(
        "that nothing changed come back byte for byte",
        arguments: ["plain.pth", "half.pth", "net.safetensors"])
    func comeBackUnchanged(_ name: String) throws {
        let model = try open(name)
        let copy = try TemporaryFile()
        var replacements: [String: ModelFile.WeightBytes] = [:]
        for weight in model.weights { replacements[weight.name] = { try model.readWeight(weight) } }
        try model.write(replacing: replacements, to: copy.path)
        #expect(FileManager.default.contentsEqual(atPath: copy.path, andPath: try path(name)))
    }

    @Test("come with plain values of Python and with keys that the network lacks, which are kept and named")
    func keepsPlainValues() throws {
        for name in ["inert.pth", "kept.pth"] {
            let model = try open(name)
            #expect(model.weights == (try openModel(at: path("net.pt2"))).weights)
            let copy = try TemporaryFile()
            var replacements: [String: ModelFile.WeightBytes] = [:]
            for weight in model.weights { replacements[weight.name] = { try model.readWeight(weight) } }
            try model.write(replacing: replacements, to: copy.path)
            #expect(FileManager.default.contentsEqual(atPath: copy.path, andPath: try path(name)))
        }
        #expect(
            try open("kept.pth").summary.keptTensors?.sorted() == [
                "criterion.weight", "metrics.accuracy.total",
            ])
        // A layer of the network itself is no such key.
        #expect(try problem("deeper.pth").detail.contains("1 are not expected: “features.3.weight”"))
    }

    @Test(
        "that would have Python call or set something are refused",
        arguments: ["setstate", "factory", "attribute", "path", "call"])
    func refusesMeanings(name: String) throws {
        let found = try problem("evil-\(name).pth")
        #expect(["pickle-global-not-allowed", "pickle-opcode-not-allowed"].contains(found.code), "\(found)")
    }

    @Test("with code in them are refused by its name, and nothing runs")
    func refusesCode() throws {
        let evil = try problem("evil.pth")
        #expect(evil.code == "pickle-global-not-allowed")
        #expect(evil.detail.contains("posix.system"))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/burn-was-here"))
        let whole = try problem("whole.pth")
        #expect(whole.code == "pickle-global-not-allowed")
        #expect(whole.detail.contains("Net"))
        #expect(whole.fix?.contains("state_dict()") == true)
    }

    @Test("of other layouts are refused with the fix")
    func refusesOthers() throws {
        #expect(try problem("old.pth").code == "model-format-pickledcheckpoint")
        #expect(try problem("old.pth").fix?.contains("weights_only=True") == true)
        #expect(try problem("empty.pth").code == "checkpoint-no-state-dict")
    }

    @Test("that do not fit are refused with every kind of difference")
    func refusesMismatch() throws {
        let renamed = try problem("renamed.pth")
        #expect(renamed.code == "weights-do-not-match")
        #expect(renamed.detail.contains("1 are missing: “fc.weight”"))
        #expect(renamed.detail.contains("1 are not expected: “head.weight”"))
        #expect(renamed.detail.contains("“fc.bias” is float32 (7), expected float32 (5)"))
    }

    @Test("without a graph are refused with the architecture that their names suggest")
    func suggests() throws {
        let problem = #expect(throws: Problem.self) { try openModel(at: path("preactresnet18.pth")) }
        #expect(problem?.code == "weights-need-skeleton")
        #expect(problem?.fix?.contains("those of preactresnet18") == true)
    }

    @Test(
        "of a built-in architecture are read, whatever the number of classes",
        arguments: ["preactresnet18", "wrn-16-1"])
    func builtIn(_ name: String) throws {
        let model = try openModel(
            at: path(name + ".pth"), skeleton: .architecture(name, image: nil))
        #expect(model.summary.classes == 7)
        #expect(model.summary.inputShape == [nil, 3, 32, 32])
        #expect(model.summary.format == "checkpoint")
        #expect(throws: Problem.self) {
            try openModel(at: path(name + ".pth"), skeleton: .architecture("resnet18", image: nil))
        }
    }

    @Test("cut short anywhere are refused", arguments: ["nested.pth", "net.safetensors"])
    func refusesCuts(_ name: String) throws {
        let whole = [UInt8](try Data(contentsOf: URL(filePath: path(name))))
        for length in stride(from: 0, to: whole.count, by: max(1, whole.count / 97)) {
            let cut = try TemporaryFile(Array(whole[..<length]))
            #expect(throws: Problem.self) {
                try openModel(at: cut.path, skeleton: .file(path("net.pt2")))
            }
        }
    }
}

@Suite("Built-in graphs")
struct BuiltInGraphTests {
    @Test("are the files of their folder")
    func areTheFilesOfTheirFolder() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/ModelFormats/BuiltIn/graphs").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(BuiltInGraphs.all.map { $0.name + ".json.gz" } == files)
        #expect(BuiltInGraph.names == BuiltInGraph.names.sorted())
        for (name, document) in BuiltInGraphs.all {
            #expect(
                try Data(contentsOf: folder.appending(path: name + ".json.gz")) == Data(document), "\(name)")
        }
    }

    /// A file of zeros with the right names and shapes is read: the graph holds together.
    @Test("hold together", arguments: BuiltInGraph.names)
    func holdTogether(_ name: String) throws {
        let graph = try BuiltInGraph.named(name)
        var header: [String] = []
        var offset = 0
        for weight in graph.weights {
            let shape = weight.shape.map { $0 ?? 3 }
            let end = offset + 4 * shape.reduce(1, *)
            header.append(
                "\"module.\(weight.name)\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        let text = Array("{\(header.joined(separator: ","))}".utf8)
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
        let file = try TemporaryFile(length + text)
        // The weights are a hole in the file.
        #expect(truncate(file.path, off_t(8 + text.count + offset)) == 0)
        let model = try openModel(at: file.path, skeleton: .architecture(name, image: nil))
        #expect(model.summary.classes == 3)
        #expect(model.summary.inputShape == [nil] + graph.image)
        #expect(model.weights.count == graph.weights.count)
        #expect(BuiltInGraph.names.contains(name))
    }

    @Test("are named in the answer to an unknown one")
    func unknown() throws {
        let problem = #expect(throws: Problem.self) { try BuiltInGraph.named("lenet") }
        #expect(problem?.code == "architecture-unknown")
        #expect(problem?.fix?.contains("resnet18_cifar") == true)
    }
}
