import Findings
import Support

/// What can be wrong between weights and the graph that they are to feed.
enum SkeletonFault {
    private static let shown = 8

    private static func list(_ items: [String]) -> String {
        items.prefix(shown).map { $0.hasPrefix("“") ? $0 : "“\($0.prefix(80))”" }.joined(separator: ", ")
            + (items.count > shown ? " and \(items.count - shown) more" : "")
    }

    /// How to name a graph, with the one that the weights' names suggest.
    private static func advice(_ table: WeightTable) -> String {
        let guesses = BuiltInGraph.matching(table)
        let hint =
            guesses.isEmpty ? "" : "The names are those of \(guesses.joined(separator: ", ")). "
        return hint
            + "Name a built-in architecture (architecture=NAME; one of \(BuiltInGraph.names.joined(separator: ", "))), "
            + "or upload the model as .pt2 and name it as the skeleton (skeleton=MODEL_ID). "
            + ExportAdvice.text()
    }

    static func needed(_ table: WeightTable) -> Problem {
        Problem(
            .unprocessable, code: "weights-need-skeleton", title: "The file holds weights without a graph",
            detail: "The \(table.format.rawValue) has \(table.rows.count) tensors and no architecture.",
            location: "architecture", fix: advice(table))
    }

    static let withoutOutputs = Problem(
        .unprocessable, code: "option-without-effect", title: "An option has no effect on this model",
        detail: "output was given. The file holds weights alone, and their graph has one output.",
        location: "output", fix: "Leave the option out.")

    /// - Parameter skeleton: what was named; nil where that isn't known.
    static func notNeeded(_ format: ModelFormat, _ skeleton: ModelSkeleton? = nil) -> Problem {
        let isFile = if case .file? = skeleton { true } else { false }
        return Problem(
            .malformed, code: "skeleton-not-needed", title: "The model has a graph of its own",
            detail:
                "\(isFile ? "A skeleton" : "An architecture or skeleton") was named for a file of the format "
                + "\(format.rawValue).",
            location: isFile ? "skeleton" : "architecture",
            fix: "Leave it out, or give a file of weights alone (.safetensors, .pth).")
    }

    static func unknown(_ name: String) -> Problem {
        Problem(
            .unprocessable, code: "architecture-unknown", title: "The architecture is not built in",
            detail: "There is no architecture “\(name.prefix(80))”.", location: "architecture",
            fix:
                "Built in are \(BuiltInGraph.names.joined(separator: ", ")). For another one upload the model as "
                + ".pt2 and name it as the skeleton (skeleton=MODEL_ID).")
    }

    static func mismatch(_ table: WeightTable, _ found: KeyMismatch) -> Problem {
        let (missing, unexpected, different) = (found.missing, found.unexpected, found.different)
        var parts: [String] = []
        if !missing.isEmpty { parts.append("\(missing.count) are missing: \(list(missing))") }
        if !unexpected.isEmpty { parts.append("\(unexpected.count) are not expected: \(list(unexpected))") }
        if !different.isEmpty { parts.append("\(different.count) do not fit: \(list(different))") }
        return Problem(
            .unprocessable, code: "weights-do-not-match", title: "The weights do not fit the graph",
            detail: "Of the \(table.rows.count) tensors " + parts.joined(separator: "; ") + ".",
            location: "architecture", fix: advice(table))
    }
}
