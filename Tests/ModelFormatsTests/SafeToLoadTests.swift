import Containers
import Foundation
import Support
import Testing
import ZipFixtures

@testable import ModelFormats

/// Files that would run code where somebody loads them. That they would is shown by the Python client's tests.
@Suite("Files that would run code where they are loaded")
struct SafeToLoadTests {
    private static let code = "__import__('os').system('true')"

    /// A pickle of protocol 2 that calls `os.system`.
    private static let pickle: [UInt8] =
        Array("\u{80}".unicodeScalars.map { UInt8($0.value) }) + [2]
        + Array("cposix\nsystem\nX".utf8) + [4, 0, 0, 0] + Array("true".utf8) + [0x85] + Array("R.".utf8)

    /// `((tensor,), {})` as torch.save writes it, without a tensor: `((), {})`.
    private static let plainPickle: [UInt8] =
        [0x80, 2] + Array(")}\u{86}.".unicodeScalars.map { UInt8($0.value) })

    private static func saved(_ pickle: [UInt8], _ others: [String] = []) -> [UInt8] {
        ZipBuilder(
            [
                .init("archive/data.pkl", pickle), .init("archive/byteorder", "little"),
                .init("archive/version", "3\n"),
            ] + others.map { .init($0, "x") }
        ).build()
    }

    private static func samples(_ name: String, _ bytes: [UInt8]) -> Damage {
        Damage(name, "model-unsafe-to-load") { model in
            model.changeEntries = { entries in
                guard
                    let place = entries.firstIndex(where: {
                        $0.local.name == Array("m/data/sample_inputs/model.pt".utf8)
                    })
                else { return }
                entries[place] = .init("m/data/sample_inputs/model.pt", bytes)
            }
        }
    }

    private static func program(_ name: String, _ old: String, _ new: String) -> Damage {
        .program(name, "model-unsafe-to-load", old, new)
    }

    static let payloads: [Damage] = [
        samples("sample inputs: a bare pickle", pickle),
        samples("sample inputs: a pickle before a zip", pickle + saved(plainPickle)),
        samples("sample inputs: a pickle that calls", saved(pickle)),
        samples("sample inputs: a second pickle", saved(plainPickle, ["archive/other.pkl"])),
        samples(
            "sample inputs: TorchScript", saved(plainPickle, ["archive/constants.pkl", "archive/code/m.py"])),
        samples("sample inputs: no pickle", ZipBuilder([.init("archive/x", "x")]).build()),
        .other("an old pickle of weights", "model-pickled-weights", "m/data/weights/model.pt"),
        .other("a pickled object", "model-unsafe-to-load", "m/data/constants/opaque_obj_0"),
        .other("an object of a library", "model-unsafe-to-load", "m/data/constants/custom_obj_0"),
        .other("a second program's samples", "model-unsafe-to-load", "m/data/sample_inputs/other.pt"),
        .other("any other entry", "model-unsafe-to-load", "m/hubconf.py"),
        program("guards", "\"verifiers\"", "\"guards_code\": [\"\(code)\"], \"verifiers\""),
        program("a guard that calls", "\"verifiers\"", "\"guards_code\": [\"L.__class__\"], \"verifiers\""),
        program("a size", "{\"as_int\": 48}", "{\"as_expr\": {\"expr_str\": \"\(code)\"}}"),
        program(
            "a size that begins well", "{\"as_int\": 48}", "{\"as_expr\": {\"expr_str\": \"s77 + \(code)\"}}"),
        program(
            "the batch itself", "Symbol('s77', positive=True, integer=True)",
            "Symbol('s77', positive=\(code))"),
        program("the name of a range", "\"s77\": {\"min_val\"", "\"\(code)\": {\"min_val\""),
        program("the name of a value", "\"flatten\"", "\"flatten=\(code)\""),
        program("the name of an argument", "\"start_dim\"", "\"start_dim=\(code), x\""),
        program(
            "the name of a weight", "\"parameter_name\": \"fc.bias\"",
            "\"parameter_name\": \"fc.bias\\\")+\(code)+(\\\"\""),
        program(
            "a graph inside a node", "{\"as_none\": true}",
            "{\"as_graph\": {\"name\": \"g\", \"graph\": {\"nodes\": []}}}"),
        program("an operator as an argument", "{\"as_none\": true}", "{\"as_operator\": \"os.system\"}"),
        program(
            "the structure of the outputs", "\"module_call_graph\": []",
            "\"module_call_graph\": [{\"fqn\": \"\", \"signature\": {\"inputs\": [], \"outputs\": [], \"in_spec\": "
                + "\"[1, {\\\"type\\\": \\\"collections.defaultdict\\\", \\\"context\\\": null, \\\"children_spec\\\": []}]\", "
                + "\"out_spec\": \"\"}}]"),
        program(
            "named tuples", "\"module_call_graph\"",
            "\"treespec_namedtuple_fields\": {\"a\": {\"fields\": []}}, \"module_call_graph\""),
    ]

    /// Names that the file chooses, among those that the check knows.
    static let disguises: [Damage] = [
        program(
            "a size of a value that is called metadata", "\"tensor_values\": {",
            "\"tensor_values\": {\"metadata\": {\"sizes\": [{\"as_expr\": {\"expr_str\": \"\(code)\"}}]}, "),
        program(
            "the same under a value that is called nodes", "\"tensor_values\": {",
            "\"tensor_values\": {\"nodes\": {\"metadata\": {\"a\": {\"expr_str\": \"\(code)\"}}}, "),
        program(
            "a note that is no text", "\"metadata\": {\"stack_trace\": \"line\"}",
            "\"metadata\": {\"a\": {\"expr_str\": \"\(code)\"}}"),
        program(
            "the default of an input", "{\"user_input\": {\"arg\": {\"as_tensor\": {\"name\": \"x\"}}}}",
            "{\"user_input\": {\"arg\": {\"as_tensor\": {\"name\": \"x\"}}}}, "
                + "{\"user_input\": {\"arg\": {\"as_string\": \"x' #\\n)\\n\(code)\"}}}"),
        program(
            "a tower of powers", "{\"as_int\": 48}",
            "{\"as_expr\": {\"expr_str\": \"Mod(99999999999**9999999999, 2)\"}}"),
        samples(
            "sample inputs: the name of an input",
            saved([0x80, 2] + Array("}U\u{5}a'%1+N".utf8) + [0x73, 0x2E])),
        .weights(
            "one entry of two types", "model-weights", "{\"config\": {",
            "{\"config\": {"
                + TinyModel.row("decoy", "weight_0", [2, 3, 3, 3], [27, 9, 3, 1]).replacing(
                    "\"dtype\": 7", with: "\"dtype\": 6") + ", "),
    ]

    private func open(_ bytes: [UInt8]) throws -> ModelFile {
        let path = NSTemporaryDirectory() + "burn-safe-\(UUID().uuidString)"
        defer { unlink(path) }
        try Data(bytes).write(to: URL(filePath: path))
        return try openModel(at: path)
    }

    @Test("are refused", arguments: payloads + disguises)
    func payloadsAreRefused(damage: Damage) throws {
        var model = TinyModel()
        damage.change(&model)
        let problem = try #require(throws: Problem.self) { try open(model.build()) }
        #expect(problem.code == damage.code, "\(problem)")
        #expect(problem.location != nil)
    }

    @Test("do not include a plain model with plain sample inputs, texts beside it, and guards on sizes")
    func aPlainModelIsRead() throws {
        var model = TinyModel()
        model.others = [.init("m/extra/notes.txt", "trained on Monday")]
        model.program = model.program.replacing(
            "\"verifiers\"", with: "\"guards_code\": [\"L['x'].size()[1] == 3\"], \"verifiers\"")
        model.changeEntries = { entries in
            entries.removeAll { $0.local.name == Array("m/data/sample_inputs/model.pt".utf8) }
            entries.append(.init("m/data/sample_inputs/model.pt", Self.saved(Self.plainPickle)))
        }
        _ = try open(model.build())
    }

    @Test("are not made by a purification: the sample inputs are empty, all else is as it was")
    func whatIsWrittenHoldsNoPickle() throws {
        var model = TinyModel()
        model.changeEntries = { entries in
            entries.removeAll { $0.local.name == Array("m/data/sample_inputs/model.pt".utf8) }
            entries.append(.init("m/data/sample_inputs/model.pt", Self.saved(Self.plainPickle)))
        }
        let folder = NSTemporaryDirectory() + "burn-safe-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(model.build()).write(to: URL(filePath: folder + "/model.pt2"))
        let file = try openModel(at: folder + "/model.pt2")
        let bias = (0..<10).flatMap { bytes(Float($0).bitPattern) }
        try file.write(replacing: ["fc.bias": { bias }], to: folder + "/out.pt2")
        let (before, after) = (
            try ZipArchive(path: folder + "/model.pt2"), try ZipArchive(path: folder + "/out.pt2")
        )
        #expect(after.entries.map(\.name) == before.entries.map(\.name))
        for entry in after.entries {
            let content = try after.contents(of: entry, limit: 1 << 20)
            switch entry.name {
            case "m/data/sample_inputs/model.pt": #expect(content == [])
            case "m/data/weights/weight_2": #expect(content == bias)
            default:
                #expect(content == (try before.contents(of: #require(before[entry.name]), limit: 1 << 20)))
            }
        }
        try file.write(replacing: [:], to: folder + "/copy.pt2")
        let files = ["/model.pt2", "/copy.pt2"].map { URL(filePath: folder + $0) }
        #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
        let again = try openModel(at: folder + "/out.pt2")
        let weight = try #require(again.weights.first { $0.name == "fc.bias" })
        #expect(try again.readWeight(weight) == bias)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                "copy.pt2", "model.pt2", "out.pt2",
            ])
    }

    @Test(
        "expressions of sizes",
        arguments: [
            "s77", "2*s77 + 1", "Symbol('s77', positive=True, integer=True)", "-(s0 // 2)", "Max(1, s0)",
            "Mul(Integer(2), Symbol('u0', integer=True))", "((s3 - 1) // 2) + 1", "s0**2",
        ])
    func expressionsThatAreRead(text: String) { #expect(SymbolicExpression.isPlain(text)) }

    @Test(
        "texts that are no expressions of sizes",
        arguments: [
            "", "x", "s", "s77.__class__", "s77()", "Symbol('s77').x", "Symbol(\"s77\")", "Symbol('os')",
            "exec('1')",
            "Max(1, s0)(2)", "1 if s0 else 2", "lambda: 1", "[s0]", "s0; s1", "s0 + ", "'s77'",
            "Symbol('s77', positive=1)",
            "s77 # comment", "s77**99", "2**3**4", "Pow(s0, 9)", "(((((((((((((((((((s0)))))))))))))))))))",
            "99999999999999999999", "s0\n+ s1",
        ])
    func textsThatAreRefused(text: String) { #expect(!SymbolicExpression.isPlain(text)) }

    @Test("a file that another reader takes for a zip is refused")
    func twoFormats() throws {
        let zip = ZipBuilder([.init("data.pkl", "x")]).build()
        let header = Array(
            #"{"w":{"dtype":"U8","shape":[\#(zip.count)],"data_offsets":[0,\#(zip.count)]}}"#.utf8)
        let safetensors = bytes(UInt64(header.count)) + header + zip
        let problem = try #require(throws: Problem.self) { try open(safetensors) }
        #expect(problem.code == "model-two-formats")
    }
}
