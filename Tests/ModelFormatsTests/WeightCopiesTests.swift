import Findings
import Foundation
import Support
import Testing

@testable import ModelFormats

@Suite("Copies of the weights in one file", .enabled(if: Fixtures.python != nil, Fixtures.withoutPython))
struct WeightCopiesTests {
    private func path(_ name: String) throws -> String {
        try Fixtures.weights.get().appending(path: name).path
    }

    private func open(_ name: String, weights: String? = nil) throws -> ModelFile {
        try openModel(at: path(name), skeleton: .file(path("net.pt2"), weights: weights))
    }

    private func problem(_ name: String, weights: String? = nil) throws -> Problem {
        let problem = #expect(throws: Problem.self) { try open(name, weights: weights) }
        return try #require(problem)
    }

    /// Every tensor of the files, by the keys that lead to it: its sum, as PyTorch reads it.
    private func sums(_ files: [String]) throws -> [[String: Double]] {
        let shown = try JSONDecoder().decode(
            [String: [String: Double]].self, from: Fixtures.runPython(["all"] + files, script: "weights.py"))
        return files.compactMap { shown[$0] }
    }

    /// The file with all weights doubled, as a purification would write others.
    private func doubled(_ model: ModelFile) throws -> TemporaryFile {
        let copy = try TemporaryFile()
        var replacements: [String: ModelFile.WeightBytes] = [:]
        for weight in model.weights {
            let values = try model.readWeight(weight).withUnsafeBytes {
                Array($0.bindMemory(to: Float.self)).map { $0 * 2 }
            }
            replacements[weight.name] = { values.withUnsafeBytes { Array($0) } }
        }
        try model.write(replacing: replacements, to: copy.path)
        return copy
    }

    @Test("that differ are refused until one is chosen", arguments: ["average.pth", "average.safetensors"])
    func ambiguous(_ name: String) throws {
        let problem = try problem(name)
        #expect(problem.code == "weights-ambiguous" && problem.location == "weights")
        let names = name.hasSuffix("pth") ? ["state_dict", "state_dict_ema"] : ["model", "ema"]
        for copy in names { #expect(problem.detail.contains("“\(copy)”")) }
        #expect(problem.fix?.contains("--weights") == true)
        let unknown = try self.problem(name, weights: "teacher")
        #expect(unknown.code == "weights-unknown" && names.allSatisfy { unknown.detail.contains($0) })
        for chosen in names {
            let summary = try open(name, weights: chosen).summary
            let copies = try #require(summary.weightCopies)
            #expect(Set(copies.map(\.name)) == Set(names))
            #expect(copies.filter(\.isAnalysed).map(\.name) == [chosen])
            #expect(copies.allSatisfy { $0.isEqual == $0.isAnalysed })
        }
    }

    @Test("are told apart: the chosen one is read")
    func chosen() throws {
        let whole = try openModel(at: path("net.pt2"))
        let model = try open("average.pth", weights: "state_dict")
        let average = try open("average.pth", weights: "state_dict_ema")
        for weight in whole.weights {
            #expect(try model.readWeight(weight) == whole.readWeight(weight))
            #expect(try average.readWeight(weight) != whole.readWeight(weight))
        }
    }

    @Test(
        "are all replaced, and what the optimiser made of them is cleared",
        arguments: [("average.pth", "state_dict_ema"), ("average.pth", "state_dict"), ("equal.pth", nil)])
    func replaced(_ name: String, _ chosen: String?) throws {
        let model = try open(name, weights: chosen)
        let copy = try doubled(model)
        let found = try sums([path(name), copy.path])
        let (before, after) = (try #require(found.first), try #require(found.last))
        #expect(before.keys == after.keys)
        let copies = try #require(model.summary.weightCopies)
        let source = try #require(copies.first(where: \.isAnalysed)?.name)
        var (weights, moments) = (0, 0)
        for (key, sum) in after {
            if key.hasSuffix("num_batches_tracked") || key.hasSuffix(".step") || key == "best" {
                #expect(sum == before[key], "\(key)")
            } else if key.hasPrefix("optimizer.") {
                #expect(sum == 0 && before[key] != 0, "\(key)")
                moments += 1
            } else {
                let prefix = try #require(
                    copies.map { $0.name + "." }.filter { key.hasPrefix($0) }.max { $0.count < $1.count })
                let original = try #require(before[source + "." + key.dropFirst(prefix.count)])
                #expect(abs(sum - 2 * original) <= 1e-6 * abs(original), "\(key)")
                weights += 1
            }
        }
        #expect(weights == 2 * model.weights.count)
        // Two moments for each of the six parameters.
        #expect(moments == 12 && model.summary.derivedTensors == 12)
    }

    @Test("of which only a part is there get that part")
    func part() throws {
        let model = try open("part.pth")
        #expect(model.summary.weightCopies == nil && model.summary.derivedTensors == 6)
        let copy = try doubled(model)
        let after = try #require(sums([copy.path]).first)
        for key in after.keys where key.hasPrefix("swa_backbone.") && !key.hasSuffix("num_batches_tracked") {
            #expect(after[key] == after["model." + key.dropFirst("swa_backbone.".count)], "\(key)")
        }
    }

    @Test("that are equal need no choice, and one may be named by its beginning")
    func equal() throws {
        let summary = try open("equal.pth").summary
        #expect(try #require(summary.weightCopies).map(\.name).sorted() == ["ema.module.module", "model"])
        #expect(summary.weightCopies?.allSatisfy(\.isEqual) == true)
        let named = try open("equal.pth", weights: "ema").summary
        #expect(named.weightCopies?.first(where: \.isAnalysed)?.name == "ema.module.module")
    }

    @Test(
        "A single one is found under any key, named, and written back there",
        arguments: [("ema.pth", "ema"), ("deep.pth", "student.ema_state_dict")])
    func alone(_ name: String, _ key: String) throws {
        let model = try open(name)
        let named = try #require(model.summary.weightCopies)
        #expect(named.map(\.name) == [key] && named.allSatisfy(\.isAnalysed))
        let copy = try doubled(model)
        let found = try sums([path(name), copy.path])
        let (before, after) = (try #require(found.first), try #require(found.last))
        #expect(before.keys == after.keys)
        let written = after.keys.filter { $0.hasPrefix(key + ".") && !$0.hasSuffix("num_batches_tracked") }
        #expect(written.count == model.weights.count)
        for place in written {
            #expect(abs(after[place, default: 0] - 2 * before[place, default: 0]) < 1e-4, "\(place)")
        }
    }

    @Test("Several in such places are refused until one is named")
    func unusualPlaces() throws {
        let problem = try problem("averages.pth")
        #expect(problem.code == "weights-ambiguous")
        #expect(problem.detail.contains("“ema”") && problem.detail.contains("“swa”"))
        let chosen = try open("averages.pth", weights: "swa").summary.weightCopies
        #expect(chosen?.first(where: \.isAnalysed)?.name == "swa" && chosen?.count == 2)
    }

    @Test(
        "that can't be told from other tensors are refused",
        arguments: [
            ("odd.pth", "backup.0"), ("array.pth", "backup.kernel"),
        ]) func unaccounted(_ name: String, _ key: String) throws
    {
        let problem = try problem(name)
        #expect(problem.code == "weights-unaccounted")
        #expect(problem.detail.contains("“\(key)”"))
        #expect(problem.fix?.contains("state_dict()") == true)
    }

    @Test("and the optimiser's state stay byte for byte where nothing is purified")
    func untouched() throws {
        let model = try open("average.pth", weights: "state_dict")
        let copy = try TemporaryFile()
        try model.write(replacing: [:], to: copy.path)
        #expect(FileManager.default.contentsEqual(atPath: copy.path, andPath: try path("average.pth")))
    }
}
