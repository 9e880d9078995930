import Graph
import Support

/// Which of a model's outputs is taken for the logits.
struct OutputChoice {
    struct Output {
        /// Nil where the file has none.
        var name: String?
        /// Such as `(N, 10)`.
        var shape: String
        /// Numbers with a point, in rows.
        var mayBeLogits: Bool
    }

    let outputs: [Output]
    /// By name or number; nil for what the outputs tell.
    let wanted: String?

    /// - Returns: the output's place.
    /// - Throws: `Problem` `model-output` that lists them.
    func place() throws -> Int {
        if let wanted {
            let named = outputs.indices.filter { outputs[$0].name == wanted }
            if named.count == 1 { return named[0] }
            if let number = Int(wanted), outputs.indices.contains(number) { return number }
            throw GraphFault.output.problem(
                "There is no output “\(wanted.prefix(80))”; the model's outputs are \(listed).",
                fix:
                    "Give one of these names, or a number from 0 to \(max(0, outputs.count - 1)): output=NAME "
                    + "(--model-output).")
        }
        if outputs.count == 1 { return 0 }
        let named = outputs.indices.filter { outputs[$0].name?.split(separator: ".").last == "logits" }
        if named.count == 1 { return named[0] }
        let rows = outputs.indices.filter { outputs[$0].mayBeLogits }
        guard rows.count == 1 else {
            throw GraphFault.output.problem(
                "The model returns \(outputs.count) tensors, and \(rows.count) of them may be the logits: \(listed).",
                fix:
                    "Say which: output=\(example(rows)) (--model-output \(example(rows))), or export a module whose "
                    + "forward returns the logits alone.")
        }
        return rows[0]
    }

    private func example(_ rows: [Int]) -> String {
        guard let first = rows.first else { return "0" }
        return outputs[first].name ?? String(first)
    }

    private var listed: String {
        outputs.prefix(20).enumerated().map { number, output in
            "\(number)" + (output.name.map { $0 == String(number) ? "" : " “\($0.prefix(60))”" } ?? "")
                + " \(output.shape)"
        }.joined(separator: ", ")
    }

    /// As a summary names the one that was chosen; nil where there is no other.
    func name(of place: Int) -> String? {
        outputs.count > 1 ? outputs[place].name ?? String(place) : nil
    }
}
