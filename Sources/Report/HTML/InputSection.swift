import Findings

/// What the job was given.
enum InputSection {
    static func markup(_ report: JobReport) -> Markup {
        var table = Table(columns: [
            .init(title: ""), .init(title: "Name"), .init(title: "SHA-256"),
            .init(title: "Size", isNumber: true),
        ])
        let inputs = report.inputs
        table.add(row("Model", inputs.model))
        table.add(row("Training set", inputs.dataset))
        if let clean = inputs.clean { table.add(row("Clean test images", clean)) }
        if let triggered = inputs.triggered { table.add(row("Triggered test images", triggered)) }
        var facts: [Markup] = []
        if let model = inputs.model.summary {
            facts.append(
                """
                <p>The model: \(model.format), input \(model.inputSizes(by: " × ")) \(model.inputType), \(model.classes) outputs, \
                \(Numbers.grouped(model.parameters)) parameters.</p>
                """)
        }
        if let set = inputs.dataset.summary {
            let skipped: Markup =
                set.skippedTotal > 0 ? " \(set.skippedTotal) entries of the upload were passed over." : ""
            facts.append(
                """
                <p>The training set: \(set.format), \(Numbers.grouped(set.samples)) images of \(set.width) × \
                \(set.height) pixels with \(set.channels) channels in \(set.classes.count) classes.\(skipped)</p>
                """)
            facts += (set.reading?.sentences ?? []).map { "<p>\($0)</p>" }
        }
        return """
            <h2>What was analysed</h2>
            \(table.markup)
            \(Markup(facts, separator: "\n"))
            """
    }

    private static func row<Summary, Options>(_ title: Markup, _ input: JobReport.Input<Summary, Options>)
        -> [Markup]
    {
        let digest: Markup =
            if let sha256 = input.sha256 {
                "<code>\(sha256)</code>"
            } else if let tree = input.treeSHA256 {
                "<code>\(tree)</code> (of the folder's sha256sum list)"
            } else { "–" }
        return [title, "\(input.name ?? "deleted since")", digest, "\(Numbers.bytes(input.bytes))"]
    }
}
