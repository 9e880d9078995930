import Foundation
import Support
import Testing
import ZipFixtures

@testable import ModelFormats

/// One change to a good model, and the problem it has to be met with.
struct Damage: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var code: String
    var change: @Sendable (inout TinyModel) -> Void

    init(_ name: String, _ code: String, _ change: @escaping @Sendable (inout TinyModel) -> Void) {
        testDescription = name
        self.code = code
        self.change = change
    }

    /// Replaces a piece of the program's text.
    static func program(_ name: String, _ code: String, _ old: String, _ new: String) -> Damage {
        Damage(name, code) { $0.program = $0.program.replacing(old, with: new) }
    }

    static func weights(_ name: String, _ code: String, _ old: String, _ new: String) -> Damage {
        Damage(name, code) { $0.weights = $0.weights.replacing(old, with: new) }
    }

    static func entry(
        _ name: String, _ code: String, _ change: @escaping @Sendable (inout [ZipBuilder.Entry]) -> Void
    ) -> Damage {
        Damage(name, code) { $0.changeEntries = change }
    }

    static func other(_ name: String, _ code: String, _ entry: String) -> Damage {
        Damage(name, code) { $0.others = [.init(entry, "data")] }
    }
}

@Suite("Damaged models")
struct DamagedModelTests {
    static let documents: [Damage] = [
        .program("no JSON", "model-document", "{\"graph_module\"", "graph_module"),
        .program("cut short", "model-document", "\"torch_version\": \"2.13.0\"}", "\"torch_version\": \"2.1"),
        .program("two members of one name", "model-document", "\"opset_version\"", "\"range_constraints\""),
        .program("nested without end", "model-document", "\"line\"", String(repeating: "[", count: 10_000)),
        .program("missing member", "model-document", "\"nodes\"", "\"knots\""),
        .program("wrong kind", "model-document", "{\"as_none\": true}", "{\"as_graph\": {}}"),
        .program(
            "union of two", "model-document", "{\"as_none\": true}", "{\"as_none\": true, \"as_int\": 1}"),
        .program(
            "number beyond 64 bits", "model-document", "\"as_int\": 1}", "\"as_int\": 99999999999999999999}"),
        .program("other schema", "model-format-version", "\"major\": 8", "\"major\": 9"),
        .weights("table without config", "model-document", "\"config\"", "\"konfig\""),
    ]

    static let graphs: [Damage] = [
        .program(
            "operator not allowed", "model-operator-not-allowed", "aten.relu_.default",
            "aten.rrelu.default"),
        .program(
            "operator of another library", "model-operator-not-allowed", "ops.aten.relu_", "ops.evil.relu_"),
        .program(
            "call of a Python function", "model-operator-not-allowed", "torch.ops.aten.relu_.default",
            "os.system"),
        .program(
            "higher-order operator", "model-operator-not-allowed", "ops.aten.relu_.default",
            "ops.higher_order.cond"),
        .program(
            "cycle", "model-graph-structure", "\"input\", \"arg\": {\"as_tensor\": {\"name\": \"x\"}}",
            "\"input\", \"arg\": {\"as_tensor\": {\"name\": \"linear\"}}"),
        .program(
            "unknown value", "model-graph-structure", "{\"as_tensor\": {\"name\": \"flatten\"}}, \"kind\"",
            "{\"as_tensor\": {\"name\": \"nobody\"}}, \"kind\""),
        .program(
            "value written twice", "model-graph-structure", "[{\"as_tensor\": {\"name\": \"flatten\"}}]",
            "[{\"as_tensor\": {\"name\": \"relu_\"}}]"),
        .program(
            "output never written", "model-graph-structure",
            "{\"user_output\": {\"arg\": {\"as_tensor\": {\"name\": \"linear\"",
            "{\"user_output\": {\"arg\": {\"as_tensor\": {\"name\": \"nobody\""),
        .program(
            "too many results", "model-graph-structure", "[{\"as_tensor\": {\"name\": \"relu_\"}}]",
            "[{\"as_tensor\": {\"name\": \"relu_\"}}, {\"as_tensor\": {\"name\": \"second\"}}]"),
        .program("unknown argument", "model-operator-argument", "\"start_dim\"", "\"begin_dim\""),
        .program(
            "missing argument", "model-operator-argument",
            "{\"name\": \"weight\", \"arg\": {\"as_tensor\": {\"name\": \"p_w\"}}, \"kind\": 1},", ""),
        .program(
            "argument of another kind", "model-operator-argument", "{\"as_none\": true}", "{\"as_int\": 3}"),
        .program(
            "endless stride", "model-operator-argument", "\"stride\", \"arg\": {\"as_ints\": [1, 1]}",
            "\"stride\", \"arg\": {\"as_ints\": [9223372036854775807, 1]}"),
        .program(
            "negative padding", "model-operator-argument", "\"padding\", \"arg\": {\"as_ints\": [1, 1]}",
            "\"padding\", \"arg\": {\"as_ints\": [-9, 1]}"),
        .program(
            "huge padding", "model-operator-argument", "\"padding\", \"arg\": {\"as_ints\": [1, 1]}",
            "\"padding\", \"arg\": {\"as_ints\": [1073741824, 1073741824]}"),
        .program(
            "dimension outside", "model-shape", "{\"as_int\": 1}, \"kind\"", "{\"as_int\": 9}, \"kind\""),
        .program(
            "endless expansion", "model-too-large",
            "\"target\": \"torch.ops.aten.flatten.using_ints\"",
            """
            "target": "torch.ops.aten.expand.default", "name": "expand", "metadata": {}, "outputs":
            [{"as_tensor": {"name": "big"}}], "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "p_b"}}},
            {"name": "size", "arg": {"as_ints": [1073741824, 1073741824, 10]}}]},
            {"target": "torch.ops.aten.add.Tensor", "name": "add", "metadata": {}, "outputs":
            [{"as_tensor": {"name": "sum"}}], "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "relu_"}}},
            {"name": "other", "arg": {"as_tensor": {"name": "big"}}}]},
            {"target": "torch.ops.aten.sum.default", "name": "total", "metadata": {}, "outputs":
            [{"as_tensor": {"name": "total"}}], "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "sum"}}}]},
            {"target": "torch.ops.aten.add.Tensor", "name": "add_1", "metadata": {}, "outputs":
            [{"as_tensor": {"name": "sum_1"}}], "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "relu_"}}},
            {"name": "other", "arg": {"as_tensor": {"name": "total"}}}]},
            {"target": "torch.ops.aten.flatten.using_ints"
            """.replacing("\n", with: " ") + ", \"renamed\": 1"
        ).readingSum,
        .program(
            "write to a weight", "model-writes-weights",
            "{\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"conv2d\"}}",
            "{\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"p_b\"}}"),
        .program(
            "two symbolic dimensions", "model-image-size", "{\"as_int\": 3}, {\"as_int\": 4}",
            "{\"as_int\": 3}, {\"as_expr\": {\"expr_str\": \"s1\"}}"),
        .program(
            "batch that is an expression", "model-input", "Symbol('s77', positive=True, integer=True)",
            "2*Symbol('s77', positive=True, integer=True)"),
        .program(
            "image beyond all bounds", "model-input", "{\"as_int\": 3}, {\"as_int\": 4}",
            "{\"as_int\": 3}, {\"as_int\": 1099511627776}"),
        .program("image of another type", "model-input", "\"x\": {\"dtype\": 7", "\"x\": {\"dtype\": 8"),
        .program(
            "output that is no logits", "model-output",
            "{\"user_output\": {\"arg\": {\"as_tensor\": {\"name\": \"linear\"",
            "{\"user_output\": {\"arg\": {\"as_tensor\": {\"name\": \"relu_\""),
        .program(
            "another device", "model-document", "{\"as_none\": true}", "{\"as_device\": {\"type\": \"cuda\"}}"
        ),
    ]

    static let weightTables: [Damage] = [
        .weights("sizes beyond the entry", "model-weights", "[{\"as_int\": 10}], ", "[{\"as_int\": 11}], "),
        .weights(
            "endless sizes", "model-weights", "[{\"as_int\": 10}], ", "[{\"as_int\": 4611686018427387904}], "),
        .weights("negative size", "model-weights", "[{\"as_int\": 10}], ", "[{\"as_int\": -10}], "),
        .weights(
            "stride of zero", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]",
            "[{\"as_int\": 0}, {\"as_int\": 1}]"),
        .weights(
            "negative stride", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]",
            "[{\"as_int\": -32}, {\"as_int\": 1}]"),
        .weights(
            "stride that overflows", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]",
            "[{\"as_int\": 9223372036854775807}, {\"as_int\": 1}]"),
        .weights(
            "strides too few", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]", "[{\"as_int\": 1}]"),
        .weights(
            "offset beyond the entry", "model-weights", "\"storage_offset\": {\"as_int\": 0}",
            "\"storage_offset\": {\"as_int\": 1}"),
        .weights(
            "negative offset", "model-weights", "\"storage_offset\": {\"as_int\": 0}",
            "\"storage_offset\": {\"as_int\": -1}"),
        .weights("wider type", "model-weights", "{\"dtype\": 7", "{\"dtype\": 8"),
        .weights("complex type", "model-document", "{\"dtype\": 7", "{\"dtype\": 10"),
        .weights("sparse layout", "model-weights", "\"layout\": 7", "\"layout\": 1"),
        .weights(
            "symbolic size", "model-document", "[{\"as_int\": 10}], ",
            "[{\"as_expr\": {\"expr_str\": \"s0\"}}], "),
        .weights("pickled", "model-pickled-weights", "\"use_pickle\": false", "\"use_pickle\": true"),
        .weights("custom object", "model-pickled-weights", "\"weight_2\"", "\"custom_obj_0\""),
        .weights("path traversal", "model-weights", "\"weight_2\"", "\"weight_2/../../models/model.json\""),
        .weights("missing entry", "model-weights", "\"weight_2\"", "\"weight_9\""),
        .weights("missing weight", "model-weights", "\"fc.bias\"", "\"fc.scale\""),
        .weights("overlapping views", "model-weights", "\"weight_2\"", "\"weight_1\""),
        .weights(
            "weight that does not fit its layer", "model-shape", "[{\"as_int\": 10}, {\"as_int\": 32}]",
            "[{\"as_int\": 5}, {\"as_int\": 32}]"),
    ]

    static let archives: [Damage] = [
        .entry("no program", "model-archive") { $0.remove(at: 5) },
        .entry("no weight table", "model-archive") { $0.remove(at: 3) },
        .entry("no constant table", "model-archive") { $0.remove(at: 4) },
        .entry("two programs", "model-archive") { $0.append(.init("m/models/other.json", "{}")) },
        .entry("two folders", "model-archive") { $0.append(.init("n/file", "data")) },
        .entry("other archive format", "model-archive") { $0[7] = .init("m/archive_format", "pt9") },
        .entry("later archive version", "model-format-version") { $0[8] = .init("m/archive_version", "1") },
        .entry("big-endian", "model-format-version") { $0[9] = .init("m/byteorder", "big") },
        .entry("changed weight", "zip-checksum") { $0[1].data[5] ^= 1 },
        .entry("changed program", "zip-checksum") { $0[5].data[0] = 0x20 },
        .entry("duplicate", "zip-duplicate-entry") { $0.append($0[0]) },
        .entry("compressed program", "zip-entry") {
            $0[5].both {
                $0.method = 8; $0.size = 1 << 30
            }
        },
        .other("path traversal in the archive", "zip-entry-name", "m/../../etc/cron.d/evil"),
        .other("shared library", "model-format-aotinductor", "m/data/aotinductor/model/model.so"),
        .other("shared library elsewhere", "model-format-aotinductor", "m/extra/helper.so"),
        .other("pickled weights of an older layout", "model-pickled-weights", "m/data/weights/model.pt"),
        .other("oldest layout", "model-format-picklingexport", "serialized_state_dict.pt"),
    ]

    private func open(_ bytes: [UInt8], limits: ModelLimits = ModelLimits()) throws -> ModelFile {
        let file = try TemporaryFile(bytes)
        return try openModel(at: file.path, limits: limits)
    }

    @Test("are made from a good one")
    func accepts() throws {
        let model = try open(TinyModel().build())
        #expect(model.summary.classes == 10)
        #expect(model.summary.parameters == 54 + 320 + 10)
        #expect(model.summary.inputShape == [nil, 3, 4, 4])
        #expect(model.weights.map(\.name) == ["conv.weight", "fc.weight", "fc.bias"])
        #expect(model.multiplyAdds == 2 * 16 * 27 + 10 * 32)
    }

    @Test("are refused with a clear problem", arguments: documents + graphs + weightTables + archives)
    func refuses(_ damage: Damage) throws {
        var model = TinyModel()
        damage.change(&model)
        let problem = try #require(throws: Problem.self) { try open(model.build()) }
        #expect(problem.code == damage.code, "\(problem)")
        #expect(!problem.detail.isEmpty && problem.fix?.isEmpty == false, "\(problem)")
    }

    @Test("cut short anywhere are refused")
    func truncated() throws {
        let bytes = TinyModel().build()
        for length in stride(from: 0, to: bytes.count, by: 37) {
            #expect(throws: Problem.self) { try open(Array(bytes[..<length])) }
        }
    }

    @Test("with some bits flipped are refused or read, and never crash the reader")
    func flipped() throws {
        let bytes = TinyModel().build()
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: damaged.indices, using: &generator)
                damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            do { _ = try open(damaged) } catch is Problem {}
        }
    }

    /// The checksums are made to fit, so that the damage reaches the JSON reader and what follows it.
    @Test("with flipped bits in their descriptions never crash the reader")
    func flippedDescriptions() throws {
        var generator = SeededGenerator(seed: 11)
        for round in 0..<400 {
            var model = TinyModel()
            var text = Array((round % 2 == 0 ? model.program : model.weights).utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = Int.random(in: text.indices, using: &generator)
                text[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            let index = round % 2 == 0 ? 5 : 3
            model.changeEntries = { entries in
                let name = String(decoding: entries[index].local.name, as: UTF8.self)
                entries[index] = .init(name, text)
            }
            do { _ = try open(model.build()) } catch is Problem {}
        }
    }

    @Test("over their limits are refused")
    func limits() throws {
        let bytes = TinyModel().build()
        var changes: [ModelLimits] = Array(repeating: ModelLimits(), count: 8)
        changes[0].maximumFileBytes = 100
        changes[1].maximumEntries = 3
        changes[2].maximumJSONBytes = 100
        changes[3].maximumWeightBytes = 100
        changes[4].maximumWeights = 2
        changes[5].graph.maximumNodes = 3
        changes[6].graph.maximumMultiplyAdds = 1_000
        changes[7].graph.maximumElements = 10
        for limits in changes {
            let problem = try #require(throws: Problem.self) { try open(bytes, limits: limits) }
            #expect(problem.category == .tooLarge)
        }
    }
}

extension Damage {
    /// Lets the flatten that follows read the sum, so that the damage is not dead.
    fileprivate var readingSum: Damage {
        let change = self.change
        return Damage(testDescription, code) { model in
            change(&model)
            model.program = model.program.replacing(
                "{\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"relu_\"}}, \"kind\": 1}",
                with: "{\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"sum_1\"}}, \"kind\": 1}")
        }
    }
}
