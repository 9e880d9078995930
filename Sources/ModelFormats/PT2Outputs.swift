import Graph
import Support

/// What a program gives back, beside what it changes.
struct PT2Outputs {
    /// The values' names.
    let names: [JSONNode]
    private let outputs: [OutputChoice.Output]

    private static let fix = "Export a module whose forward returns the logits alone."

    /// - Parameter keys: what the results are called, where the program says it: one for each, those that are no tensors
    ///   among them.
    init(_ specs: JSONNode, _ body: JSONNode, _ values: ValueTable, names keys: [String]?) throws {
        var found: [(name: JSONNode, key: String?)] = []
        var place = 0
        for spec in try specs.items() {
            let (tag, content) = try spec.union()
            switch tag {
            case "user_output":
                // bounded: as many as there are specs.
                defer { place += 1 }
                let (kind, value) = try content.member("arg").union()
                if kind == "as_none" { continue }
                guard kind == "as_tensor" else {
                    throw GraphFault.output.problem(
                        "An output is of the kind “\(kind.prefix(40))”.", fix: Self.fix)
                }
                let key = keys.flatMap { $0.indices.contains(place) ? $0[place] : nil }
                found.append((try value.member("name"), key.flatMap { $0.isEmpty ? nil : $0 }))
            // New running statistics: batch normalisation updates them by itself. A changed image is not looked at
            // afterwards.
            case "buffer_mutation", "user_input_mutation":
                _ = try values.find(content.member("arg").member("name"))
            default:
                throw GraphFault.output.problem(
                    "An output is of the kind “\(tag.prefix(40))”.", fix: Self.fix)
            }
        }
        let tensors = try body.member("tensor_values")
        names = found.map(\.name)
        outputs = try found.map { name, key in
            _ = try values.find(name)
            // A built-in graph has no sizes; its one output needs none.
            guard let meta = try tensors.optional(name.string()) else {
                return OutputChoice.Output(name: key, shape: "", mayBeLogits: true)
            }
            let sizes = try meta.member("sizes").items()
            let type = try PT2Tensors.scalarType(meta.member("dtype"))
            let shown = try sizes.map { size in
                let (tag, value) = try size.union()
                return tag == "as_int" ? String(try value.int()) : "N"
            }
            return OutputChoice.Output(
                name: key, shape: "(\(shown.joined(separator: ", "))) \(type)",
                mayBeLogits: sizes.count == 2 && type.isFloatingPoint)
        }
        guard !outputs.isEmpty else {
            throw GraphFault.output.problem("The model returns no tensor.", fix: Self.fix)
        }
    }

    func choice(_ wanted: String?) -> OutputChoice { OutputChoice(outputs: outputs, wanted: wanted) }
}
