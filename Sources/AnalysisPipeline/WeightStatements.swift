import Findings

/// What is said of the copies of the weights in a file, and of what an optimiser made from them.
enum WeightStatements {
    static func analysed(_ summary: ModelSummary) -> [String] {
        copies(summary) + (summary.conversion.map { [$0] } ?? [])
            + (summary.keptTensors.map { ["\(kept($0)) Nothing is said of them."] } ?? [])
            + (summary.output.map { ["Of the model's outputs, “\($0)” was taken for the logits."] } ?? [])
    }

    private static func kept(_ names: [String]) -> String {
        "\(names.count) tensors of the file are none of the network's (\(names.prefix(3).joined(separator: ", "))"
            + (names.count > 3 ? ", …" : "") + ") and are kept as they are."
    }

    private static func copies(_ summary: ModelSummary) -> [String] {
        guard let copies = summary.weightCopies, let analysed = copies.first(where: \.isAnalysed) else {
            return []
        }
        guard copies.count > 1 else {
            return ["The weights were found under “\(analysed.name)” in the file."]
        }
        let others = copies.filter { !$0.isAnalysed && !$0.isEqual }.map { "“\($0.name)”" }
        let end =
            others.isEmpty
            ? "The others have the same values."
            : "\(others.joined(separator: ", ")) \(others.count == 1 ? "differs" : "differ") from it, and nothing is said of that."
        return [
            "The file holds \(copies.count) copies of the weights. Looked at was “\(analysed.name)”. \(end)"
        ]
    }

    static func purified(_ summary: ModelSummary) -> [String] {
        var lines: [String] = []
        if let copies = summary.weightCopies, copies.count > 1 {
            lines.append(
                "All \(copies.count) copies of the weights in the purified file have the purified values.")
        }
        if let derived = summary.derivedTensors {
            lines.append(
                "\(derived) tensors of the file that were made from the weights, such as an optimiser's moments, were set to "
                    + "the purified values or to zero.")
        }
        return lines
    }
}
