import Containers
import Foundation
import Graph
import Support
import Testing

@testable import ModelFormats

@Suite("Models that PyTorch exports", .enabled(if: Fixtures.python != nil, Fixtures.withoutPython))
struct ExportedModelTests {
    static let accepted = [
        "resnet18", "resnet18-decomposed", "resnet18-train", "resnet18-train-decomposed", "resnet18-imagenet",
        "resnet18-fixed", "preactresnet18", "wrn-16-1", "wrn-16-1-decomposed", "wrn-16-1-fixed", "vgg",
        "vgg-fixed", "vgg-fixed-reshape", "vgg-fixed-decomposed", "vgg-channels-last", "extras",
        "extras-decomposed", "attention", "attention-decomposed", "normalising",
    ]

    @Test("are accepted, with a dynamic batch", arguments: accepted)
    func accepts(_ name: String) throws {
        let model = try openModel(at: Fixtures.exportedModel(name + ".pt2"))
        #expect(model.graph.imageShape[0] == nil)
        #expect(model.summary.classes == 10)
        #expect(model.summary.format == "pt2")
        #expect(model.graph.inputs.count == model.weights.count + 1)
        #expect(model.multiplyAdds > 0)
        // What only training or another memory layout needs is gone.
        let operators = Set(model.graph.nodes.map(\.operatorName))
        #expect(operators.allSatisfy { !$0.contains("native_batch_norm") && $0 != "aten::view" })
        #expect(!model.weights.contains { $0.name.hasSuffix("num_batches_tracked") })
    }

    /// Shapes that PyTorch recorded, for every value of the graph as it was exported.
    @Test("have the shapes that PyTorch computed", arguments: accepted.filter { !$0.contains("fixed") })
    func infersShapes(_ name: String) throws {
        let zip = try ZipArchive(path: Fixtures.exportedModel(name + ".pt2"))
        let archive = try PT2Archive(zip, limits: ModelLimits())
        let document = try archive.program()
        let program = try PT2Program(document, table: PT2Weights(archive), limits: ModelLimits())
        let simplified = GraphSimplifier.simplified(program.graph)
        let checked = try GraphChecker.check(
            simplified, weightShapes: program.weights.mapValues(\.location.shape))
        let recorded = try document.member("graph_module").member("graph").member("tensor_values")
        var compared = 0
        for node in simplified.nodes {
            for case let output? in node.outputs {
                guard let shape = checked.shapes[output],
                    let sizes = try recorded.optional(simplified.valueNames[output])?.member("sizes").items()
                else { continue }
                compared += 1
                try #require(shape.count == sizes.count, "\(node.name)")
                for (size, expected) in Swift.zip(shape, sizes) {
                    let (tag, value) = try expected.union()
                    if tag == "as_int" {
                        #expect(size.known == (try value.int()), "\(node.name)")
                    } else {
                        // The hint is the size at the example's batch of 2.
                        let hint = try value.member("hint").member("as_int").int()
                        #expect(size.batch * 2 + size.constant == hint, "\(node.name)")
                    }
                }
            }
        }
        #expect(compared >= simplified.nodes.count - 6)
    }

    @Test("keep their meaning when one batch size is opened up")
    func opensFixedBatch() throws {
        let fixed = try openModel(at: Fixtures.exportedModel("wrn-16-1-fixed.pt2"))
        let views = fixed.graph.nodes.filter { $0.operatorName == "aten::reshape" }
        #expect(views.count == 1)
        #expect(views.first?.argument("shape") == .ints([.known(-1), .known(64)]))
    }

    @Test("have tied weights once, and constants")
    func tiesWeights() throws {
        let model = try openModel(at: Fixtures.exportedModel("extras.pt2"))
        let names = model.weights.map(\.name)
        #expect(names.filter { ["first.weight", "second.weight"].contains($0) }.count == 1)
        #expect(names.contains("mean"))
        let noise = try #require(model.weights.first { $0.name == "noise" })
        #expect(noise.shape == [4, 3])
        let bytes = try model.readWeight(noise)
        let numbers = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(numbers == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    }

    @Test("copy an input that they change in place")
    func copiesInput() throws {
        let model = try openModel(at: Fixtures.exportedModel("normalising.pt2"))
        #expect(model.graph.nodes.first?.operatorName == "aten::clone")
        let image = try #require(model.graph.inputs.first { $0.kind == .image }?.value)
        #expect(model.graph.nodes.dropFirst().allSatisfy { !$0.reads.contains(image) })
    }

    @Test("load in PyTorch with the new weights")
    func writes() throws {
        var copies: [TemporaryFile] = []
        var arguments: [String] = ["compare"]
        for name in ["vgg", "vgg-channels-last", "resnet18-decomposed", "extras"] {
            let path = try Fixtures.exportedModel(name + ".pt2")
            let model = try openModel(at: path)
            let copy = try TemporaryFile()
            copies.append(copy)
            var replacements: [String: ModelFile.WeightBytes] = [:]
            for weight in model.weights where weight.type == .float32 {
                replacements[weight.name] = { doubled(try model.readWeight(weight)) }
            }
            try model.write(replacing: replacements, to: copy.path)
            arguments += [path, copy.path]
            // The checksums are right, or it would be refused.
            let written = try openModel(at: copy.path)
            #expect(written.graph == model.graph)
            for weight in written.weights {
                let old = try model.readWeight(weight)
                #expect(try written.readWeight(weight) == (weight.type == .float32 ? doubled(old) : old))
            }
        }
        try Fixtures.runPython(arguments)
    }

    @Test(
        "that are not image classifiers are refused",
        arguments: [
            ("two-inputs.pt2", "model-input"), ("two-outputs.pt2", "model-output"),
            ("rank-3.pt2", "model-input"),
            ("float64.pt2", "model-input"), ("mixing-batch.pt2", "model-fixed-batch"),
            ("quantile.pt2", "model-operator-not-allowed"), ("torchscript.pt", "model-format-torchscript"),
            ("checkpoint.pth", "weights-need-skeleton"),
            ("legacy.pth", "model-format-pickledcheckpoint"),
        ])
    func refuses(_ name: String, _ code: String) throws {
        let problem = try #require(throws: Problem.self) {
            try openModel(at: Fixtures.exportedModel("refused/" + name))
        }
        #expect(problem.code == code)
        #expect(problem.fix?.isEmpty == false)
    }
}

private func doubled(_ bytes: [UInt8]) -> [UInt8] {
    let numbers = bytes.withUnsafeBytes { $0.bindMemory(to: Float.self).map { $0 * 2 } }
    return numbers.withUnsafeBytes { Array($0) }
}
