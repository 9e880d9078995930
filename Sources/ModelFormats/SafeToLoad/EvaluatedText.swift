import Support

/// The texts of an exported program that PyTorch turns into Python code when it loads or runs one: expressions of sizes
/// (`sympy.sympify`), guards (`exec`), names of values and arguments (the generated `forward`), the structure of inputs
/// and outputs (which imports modules). Each may only be what `torch.export` writes there.
///
/// Sources: torch/_export/serde/serialize.py, torch/export/_unlift.py, torch/fx/graph.py, torch/utils/_pytree.py.
struct EvaluatedText {
    /// Sub-graphs and objects of Python, which are not read here.
    private static let refused: Set<String> = [
        "as_graph", "as_custom_obj", "as_operator", "custom_obj", "custom_obj_values",
        "treespec_namedtuple_fields",
    ]
    private static let item = "[]"
    /// The objects whose `metadata` are notes.
    private static let described: Set<[String]> = [
        ["graph_module"], ["graph_module", "graph", "nodes", item],
    ]
    /// Written into the generated code as they are.
    private static let names: Set<String> = [
        "name", "as_name", "forward_arg_names", "tensor_values", "sym_int_values", "sym_float_values",
        "sym_bool_values",
    ]

    /// - Parameter program: the whole document (`models/*.json`).
    /// - Throws: `Problem` `model-unsafe-to-load` with the place.
    static func check(_ program: JSONNode) throws { try check(program, at: []) }

    /// - Parameter path: the members that lead to the value, `item` for an item of a list. Names that the file chooses stand
    ///   in it too, so that only a whole path says what a value is.
    private static func check(_ node: JSONNode, at path: [String]) throws {
        let key = path.last { $0 != item } ?? ""
        switch node.value {
        case .null, .bool, .int, .unsigned, .double: return
        case .string(let text): try check(text, key, node)
        case .array: for element in try node.items() { try check(element, at: path + [item]) }
        case .object:
            for (name, member) in try node.members() {
                guard !refused.contains(name) || isEmpty(member.value) else {
                    throw unsafe("“\(name)” holds what is no graph of plain operators.", member)
                }
                try check(name, keyOf: key, node)
                if name == "metadata", described.contains(path) {
                    try checkNotes(member)
                } else {
                    try check(member, at: path + [name])
                }
            }
        }
    }

    /// What was written down of the source code: texts, which PyTorch shows and never runs.
    private static func checkNotes(_ notes: JSONNode) throws {
        if notes.value == .null { return }
        for (_, note) in try notes.members() {
            guard case .string = note.value else { throw unsafe("A note is no text.", note) }
        }
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        switch value {
        case .null: true
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }

    private static func check(_ text: String, _ key: String, _ node: JSONNode) throws {
        let isGood =
            switch key {
            case "expr_str": SymbolicExpression.isPlain(text)
            case "guards_code": GuardExpression.isPlain(text)
            case "in_spec", "out_spec": TreeSpecification.isPlain(text)
            // Written into code between quotes.
            case "as_string", "as_strings": isQuotable(text)
            case _ where names.contains(key): isName(text)
            default: isPlain(text)
            }
        guard isGood else {
            throw unsafe(
                "PyTorch would evaluate “\(text.prefix(80))”, which is not what torch.export writes.", node)
        }
    }

    private static func check(_ member: String, keyOf key: String, _ node: JSONNode) throws {
        let isGood =
            switch key {
            case "range_constraints": SymbolicExpression.isPlain(member)
            case _ where names.contains(key): isName(member)
            default: isPlain(member)
            }
        guard isGood else {
            throw unsafe("PyTorch would evaluate “\(member.prefix(80))”, which is no name.", node)
        }
    }

    /// A name of Python, or none.
    static func isName(_ text: String) -> Bool {
        text.utf8.allSatisfy { isOfName($0) } && text.utf8.first.map { !(0x30...0x39).contains($0) } ?? true
    }

    /// Names of weights, modules, operators, types and versions: nothing that could end a literal.
    static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { isOfName($0) || Set(".:+-/".utf8).contains($0) }
    }

    /// The same with what equations of products have (`bnd,bde->bne`).
    private static func isQuotable(_ text: String) -> Bool {
        isPlain(text.replacing(",", with: "").replacing(">", with: "").replacing(" ", with: ""))
    }

    static func isOfName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte)
    }

    private static func unsafe(_ detail: String, _ node: JSONNode) -> Problem {
        ModelFault.unsafe.problem(detail, at: node.place.text)
    }
}
