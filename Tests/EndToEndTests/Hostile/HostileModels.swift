import ZipFixtures

/// Models, each one change away from a good one.
enum HostileModels {

    private static func model(
        _ name: String, _ code: String, _ change: @escaping @Sendable (inout TinyModel) -> Void
    ) -> HostileUpload {
        HostileUpload(name, .models, code) {
            var model = TinyModel()
            change(&model)
            return model.build()
        }
    }

    private static func program(_ name: String, _ code: String, _ old: String, _ new: String) -> HostileUpload
    {
        model(name, code) { $0.program = $0.program.replacing(old, with: new) }
    }

    private static func weights(_ name: String, _ code: String, _ old: String, _ new: String) -> HostileUpload
    {
        model(name, code) { $0.weights = $0.weights.replacing(old, with: new) }
    }

    private static func entry(_ name: String, _ code: String, _ entry: String) -> HostileUpload {
        model(name, code) { $0.others = [.init(entry, "data")] }
    }

    static let graphs: [HostileUpload] = [
        program(
            "forbidden operator", "model-operator-not-allowed", "aten.relu_.default", "aten.resize_.default"),
        program("operator that runs code", "model-operator-not-allowed", "torch.ops.aten.relu_", "os.system"),
        program(
            "operator of a foreign library", "model-operator-not-allowed", "ops.aten.relu_", "ops.evil.relu_"),
        program(
            "cyclic graph", "model-graph-structure", "\"input\", \"arg\": {\"as_tensor\": {\"name\": \"x\"}}",
            "\"input\", \"arg\": {\"as_tensor\": {\"name\": \"linear\"}}"),
        program(
            "node that reads itself", "model-graph-structure",
            "\"self\", \"arg\": {\"as_tensor\": {\"name\": \"conv2d\"}}",
            "\"self\", \"arg\": {\"as_tensor\": {\"name\": \"relu_\"}}"),
        program(
            "value written twice", "model-graph-structure", "[{\"as_tensor\": {\"name\": \"flatten\"}}]",
            "[{\"as_tensor\": {\"name\": \"relu_\"}}]"),
        program(
            "huge padding", "model-operator-argument", "\"padding\", \"arg\": {\"as_ints\": [1, 1]}",
            "\"padding\", \"arg\": {\"as_ints\": [1073741824, 1073741824]}"),
        program(
            "stride at the end of the integers", "model-operator-argument",
            "\"stride\", \"arg\": {\"as_ints\": [1, 1]}",
            "\"stride\", \"arg\": {\"as_ints\": [9223372036854775807, 1]}"),
        program(
            "stride of zero", "model-operator-argument", "\"stride\", \"arg\": {\"as_ints\": [1, 1]}",
            "\"stride\", \"arg\": {\"as_ints\": [0, 0]}"),
        program(
            "image beyond all bounds", "model-input", "{\"as_int\": 3}, {\"as_int\": 4}",
            "{\"as_int\": 3}, {\"as_int\": 1099511627776}"),
        program(
            "negative image", "model-input", "{\"as_int\": 3}, {\"as_int\": 4}",
            "{\"as_int\": 3}, {\"as_int\": -4}"),
        program(
            "endless symbolic sizes", "model-image-size", "{\"as_int\": 3}, {\"as_int\": 4}",
            "{\"as_int\": 3}, {\"as_expr\": {\"expr_str\": \"s1\"}}"),
        program(
            "symbolic size nested deeply", "model-unsafe-to-load",
            "Symbol('s77', positive=True, integer=True)",
            String(repeating: "Max(1, ", count: 20_000) + "s77" + String(repeating: ")", count: 20_000)),
        program(
            "symbolic size that is code", "model-unsafe-to-load",
            "Symbol('s77', positive=True, integer=True)",
            "__import__('os').system('id')"),
        model("huge constants", "model-document") {
            $0.program = $0.program.replacing(
                "\"as_int\": 1}", with: "\"as_int\": 1\(String(repeating: "0", count: 4_000_000))}")
        },
        model("twenty thousand nodes", "model-too-large") {
            let node = """
                {"target": "torch.ops.aten.relu_.default", "name": "relu_", "metadata": {},
                 "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "conv2d"}}, "kind": 1}],
                 "outputs": [{"as_tensor": {"name": "relu_"}}]},
                """
            $0.program = $0.program.replacing(
                "\"nodes\": [", with: "\"nodes\": [" + String(repeating: node, count: 20_000))
        },
    ]

    static let documents: [HostileUpload] = [
        program("JSON cut short", "model-document", "\"torch_version\": \"2.13.0\"}", "\"torch_version"),
        program(
            "JSON nested without end", "model-document", "\"line\"", String(repeating: "[", count: 1_000_000)),
        program("JSON with a member twice", "model-document", "\"opset_version\"", "\"range_constraints\""),
        program("JSON with a lone surrogate", "model-document", "\"line\"", "\"\\ud800\""),
        model("JSON that is no UTF-8", "model-document") { model in
            let text = model.program
            model.changeEntries = { entries in
                entries[5] = .init("m/models/model.json", Array(text.utf8.dropLast()) + [0xFF, 0xFE, 0x7D])
            }
        },
        program("number beyond 64 bits", "model-document", "\"as_int\": 1}", "\"as_int\": 1e999}"),
    ]

    static let tables: [HostileUpload] = [
        weights(
            "wrong strides", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]",
            "[{\"as_int\": 320000}, {\"as_int\": 1}]"),
        weights(
            "strides that overflow", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]",
            "[{\"as_int\": 9223372036854775807}, {\"as_int\": 1}]"),
        weights(
            "negative strides", "model-weights", "[{\"as_int\": 32}, {\"as_int\": 1}]",
            "[{\"as_int\": -32}, {\"as_int\": 1}]"),
        weights(
            "sizes whose product overflows", "model-weights", "[{\"as_int\": 10}, {\"as_int\": 32}]",
            "[{\"as_int\": 4294967296}, {\"as_int\": 4294967296}]"),
        weights(
            "sizes beyond the entry", "model-weights", "[{\"as_int\": 10}], ", "[{\"as_int\": 11}], "),
        weights(
            "offset before the entry", "model-weights", "\"storage_offset\": {\"as_int\": 0}",
            "\"storage_offset\": {\"as_int\": -1}"),
        weights(
            "path traversal in the table", "model-pickled-weights", "\"weight_2\"",
            "\"../../../../etc/passwd\""),
        weights(
            "pickled weights", "model-pickled-weights", "\"use_pickle\": false", "\"use_pickle\": true"),
    ]

    static let archives: [HostileUpload] = [
        entry("path traversal", "zip-entry-name", "m/../../etc/cron.d/evil"),
        entry("absolute path", "zip-entry-name", "/etc/cron.d/evil"),
        entry("name with control bytes", "zip-entry-name", "m/\u{1b}[2Jname"),
        entry("name with a zero byte", "zip-entry-name", "m/model.json\u{0}.txt"),
        entry("shared library", "model-format-aotinductor", "m/data/aotinductor/model/model.so"),
        model("duplicate entry", "zip-duplicate-entry") { $0.changeEntries = { $0.append($0[5]) } },
        model("compressed bomb", "zip-entry") {
            $0.changeEntries = { entries in
                entries[5].both {
                    $0.method = 8
                    $0.size = 4_000_000_000
                }
            }
        },
        model("link", "zip-link") { $0.changeEntries = { $0[1].central.attributes = 0xA1FF_0000 } },
        model("overlapping entries", "zip-entry") {
            $0.changeEntries = { $0[1].central.offset = 0 }
        },
        HostileUpload("zip64 record that lies", .models, "zip-end-record") {
            TinyModel().build {
                $0.usesZip64 = true
                $0.entries = .max
                $0.entriesHere = .max
            }
        },
        HostileUpload("directory beyond the file", .models, "zip-end-record") {
            TinyModel().build { $0.offset = 0xFFFF_FFF0 }
        },
        HostileUpload("TorchScript", .models, "model-format-torchscript") {
            ZipBuilder([
                .init("m/constants.pkl", [0x80, 2, 0x29, 0x2E]), .init("m/code/__torch__.py", "import os"),
                .init("m/data.pkl", [0x80, 2, 0x29, 0x2E]), .init("m/version", "3"),
            ]).build()
        },
        HostileUpload("pickle", .models, "model-format-pickledcheckpoint") {
            Array("\u{80}\u{2}cposix\nsystem\nX\u{2}\u{0}\u{0}\u{0}id\u{85}R.".unicodeScalars).map {
                UInt8($0.value)
            }
        },
        HostileUpload("shared object", .models, "model-format-aotinductor") {
            [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 500)
        },
    ]

    private static let code = "__import__('os').system('true')"

    /// What runs where the file is loaded; see `SafeToLoadTests` for more.
    static let payloads: [HostileUpload] = [
        program(
            "guards that run", "model-unsafe-to-load", "\"verifiers\"",
            "\"guards_code\": [\"\(code)\"], \"verifiers\""),
        program(
            "a size that runs", "model-unsafe-to-load", "{\"as_int\": 48}",
            "{\"as_expr\": {\"expr_str\": \"\(code)\"}}"),
        program(
            "an argument's name that runs", "model-unsafe-to-load", "\"start_dim\"",
            "\"start_dim=\(code), x\""),
        program(
            "a weight's name that runs", "model-unsafe-to-load", "\"parameter_name\": \"fc.bias\"",
            "\"parameter_name\": \"fc.bias\\\")+\(code)+(\\\"\""),
        entry("a pickled object", "model-unsafe-to-load", "m/data/constants/opaque_obj_0"),
        entry("a file beside the model", "model-unsafe-to-load", "m/hubconf.py"),
        model("sample inputs that run", "model-unsafe-to-load") { model in
            model.changeEntries = { entries in
                entries[6] = .init("m/data/sample_inputs/model.pt", [0x80, 2] + Array("cos\nsystem\n.".utf8))
            }
        },
        HostileUpload("weights that are a zip as well", .models, "model-two-formats") {
            let zip = ZipBuilder([.init("data.pkl", "x")]).build()
            let header = Array(
                #"{"w":{"dtype":"U8","shape":[\#(zip.count)],"data_offsets":[0,\#(zip.count)]}}"#.utf8)
            return bytes(UInt64(header.count)) + header + zip
        },
    ]

    /// Cut short at places spread over the whole file.
    static let truncated: [HostileUpload] = (1..<12).map { part in
        HostileUpload(
            "cut at \(part) / 12", .models, "zip-end-record"
        ) {
            let bytes = TinyModel().build()
            return Array(bytes[..<(bytes.count * part / 12)])
        }
    }

    static let all = graphs + documents + tables + archives + payloads + truncated
}
