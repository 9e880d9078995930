import Findings
import Support

/// Before and after, and what remains.
enum OutcomeSection {
    static func markup(_ report: JobReport) -> Markup {
        var parts: [Markup] = []
        if let purification = report.purification { parts.append(model(purification, report)) }
        parts.append(accuracies(report))
        parts.append(rounds(report))
        parts.append(classes(report))
        let content = parts.filter { !$0.text.isEmpty }
        guard !content.isEmpty else { return "" }
        return """
            <h2>Before and after</h2>
            \(Markup(content, separator: "\n"))
            """
    }

    private static func model(_ purification: JobReport.Purification, _ report: JobReport) -> Markup {
        let what: Markup =
            purification.modelChanged
            ? "The purified model" : "The model given back, which is the upload byte for byte"
        return """
            <p>\(what): <code>\(purification.modelSHA256)</code> (SHA-256), \
            \(Numbers.bytes(purification.modelBytes)). \(report.samples.relabelled) of \
            \(Numbers.grouped(report.samples.analysed)) labels are corrected.</p>
            """
    }

    private static func accuracies(_ report: JobReport) -> Markup {
        guard let metrics = report.metrics else {
            return """
                <p class="note">No evaluation sets were given: accuracy and attack success on test images were not \
                measured.</p>
                """
        }
        var table = Table(columns: [
            .init(title: "On the evaluation sets"), .init(title: "Before", isNumber: true),
            .init(title: "After", isNumber: true),
        ])
        let rows: [(String, KeyPath<EvaluationMetrics, Double?>)] = [
            ("ACC, clean accuracy", \.acc), ("ASR, attack success rate", \.asr),
            ("RA, robust accuracy", \.ra),
        ]
        for (title, path) in rows {
            let before = metrics.before?[keyPath: path]
            let after = metrics.after?[keyPath: path]
            guard before != nil || after != nil else { continue }
            table.add(["\(title)", "\(Numbers.percent(before))", "\(Numbers.percent(after))"])
        }
        return table.markup
    }

    /// The estimates that each step was accepted or undone by.
    private static func rounds(_ report: JobReport) -> Markup {
        var table = Table(columns: [
            .init(title: "Step"), .init(title: "Held-out accuracy", isNumber: true),
            .init(title: "Residual ASR, estimated", isNumber: true),
            .init(title: "Flagged samples unchanged", isNumber: true), .init(title: "Kept"),
        ])
        func value(_ phase: Phase, _ round: Int, _ name: String) -> Double? {
            report.measurements.first { $0.phase == phase && $0.round == round && $0.name == name }?.value
        }
        let steps = report.measurements.filter { $0.name == "residual_asr_estimate" }
            .map { (phase: $0.phase, round: $0.round) }
            .sorted { (order($0.phase), $0.round) < (order($1.phase), $1.round) }
        for (phase, round) in steps {
            let title: Markup =
                switch phase {
                case .detection: "the model as it came"
                case .refinement: "refinement, round \(round)"
                default: "\(phase.rawValue.replacing("_", with: " "))"
                }
            table.add([
                title, "\(Numbers.percent(value(phase, round, "holdout_accuracy")))",
                "\(Numbers.percent(value(phase, round, "residual_asr_estimate")))",
                "\(Numbers.percent(value(phase, round, "flagged_unchanged")))",
                value(phase, round, "accepted").map { $0 > 0 ? "yes" : "undone" } ?? "",
            ])
        }
        guard !table.rows.isEmpty else { return "" }
        return """
            <h3>Step by step</h3>
            <p class="note">Estimated with the trigger that the analysis reconstructed, on held-out training samples.</p>
            \(table.markup)
            """
    }

    private static func order(_ phase: Phase) -> Int { Phase.allCases.firstIndex(of: phase) ?? 0 }

    private static func classes(_ report: JobReport) -> Markup {
        guard let assessment = report.assessment, !assessment.classes.isEmpty else { return "" }
        var table = Table(columns: [
            .init(title: "Class"), .init(title: "Accuracy before", isNumber: true),
            .init(title: "After", isNumber: true),
        ])
        for item in assessment.classes.prefix(200) {
            table.add([
                "\(item.label) \(item.name)", "\(Numbers.percent(item.before))",
                "\(Numbers.percent(item.after))",
            ])
        }
        let source: Markup =
            assessment.source == .evaluation
            ? "the clean evaluation set" : "held-out training samples, with their given labels"
        return """
            <h3>Accuracy class by class</h3>
            <p class="note">On \(source).</p>
            \(table.markup)
            """
    }
}
