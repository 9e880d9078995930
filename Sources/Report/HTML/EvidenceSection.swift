import Findings
import Support

/// Why the verdict is what it is: each class beside its null.
enum EvidenceSection {
    /// Rows of the table of classes; the JSON form has all.
    private static let maximumRows = 200
    /// Classes that figures show.
    private static let maximumFigures = 12
    private static let maximumPairs = 30

    static func markup(_ report: JobReport) -> Markup {
        let ordered = ordered(report.verdict)
        let statements = report.verdict.evidence.statements.map { "<li>\($0)</li>" as Markup }
        return """
            <h2>The evidence</h2>
            <ul>
            \(Markup(statements, separator: "\n"))
            </ul>
            \(figures(report, Array(ordered.prefix(maximumFigures))))
            \(classes(report, ordered))
            \(agreement(report.verdict.agreement))
            \(labels(report))
            """
    }

    /// Which output each class stands for, and how far the model agrees.
    private static func agreement(_ agreement: Agreement?) -> Markup {
        guard let agreement else { return "" }
        var table = Table(columns: [
            .init(title: "Class"), .init(title: "Output", isNumber: true),
            .init(title: "Images", isNumber: true),
            .init(title: "Predicted so", isNumber: true), .init(title: "Mostly predicted else as"),
            .init(title: "Share", isNumber: true),
        ])
        for item in agreement.classes.prefix(maximumRows) {
            table.add([
                "\(item.name)", "\(String(item.label))", "\(String(item.samples))",
                "\(item.samples > 0 ? Numbers.percent(item.share) : "–")", "\(item.otherName ?? "–")",
                "\(item.otherShare.map { Numbers.percent($0) } ?? "–")",
            ])
        }
        return """
            <h3>Predictions and given labels</h3>
            <p>The model's predictions equal the given labels for \(Numbers.percent(agreement.share)) of the data set, \
            as \(String(agreement.samples)) images tell; its own confidence promises \(Numbers.percent(agreement.promised)). \
            The classes stand for its outputs \(agreement.classOrder.words).</p>
            \(agreement.accepted.map { "<p>Accepted by the option accept_disagreement: \($0)</p>" as Markup } ?? "")
            \(table.markup)
            """
    }

    /// Target classes first, then by flagged samples, then by p-value.
    private static func ordered(_ verdict: Verdict) -> [ClassEvidence] {
        func key(_ item: ClassEvidence) -> (Int, Int, Double, Int) {
            (
                verdict.targetClasses.firstIndex(of: item.label) ?? Int.max, -item.flaggedSamples,
                item.coherencePValue, item.label
            )
        }
        return verdict.evidence.classes.sorted { key($0) < key($1) }
    }

    private static func figures(_ report: JobReport, _ classes: [ClassEvidence]) -> Markup {
        guard !classes.isEmpty else { return "" }
        let targets = Set(report.verdict.targetClasses)
        let top = classes.flatMap { [$0.coherenceShare, $0.coherenceNull] }.max() ?? 0
        let coherence = BarFigure(
            label: "Coherence share of each class beside its null",
            rows: classes.map {
                .init(
                    name: title($0), value: $0.coherenceShare, null: $0.coherenceNull,
                    stands: targets.contains($0.label),
                    note: "\(Numbers.percent($0.coherenceShare)), p \(Numbers.short($0.coherencePValue))")
            }, top: max(top * 1.05, 0.01))
        let effects = classes.filter { $0.triggerEffect != nil }
        let trigger = BarFigure(
            label: "Effect of the estimated trigger beside a random direction",
            rows: effects.map {
                .init(
                    name: title($0), value: $0.triggerEffect ?? 0, null: $0.randomEffect,
                    stands: targets.contains($0.label),
                    note: "\(Numbers.percent($0.triggerEffect)), random \(Numbers.percent($0.randomEffect))")
            }, top: 1)
        let histograms = report.evidence.distanceHistograms
        let distances = classes.compactMap { item -> Markup? in
            guard let counts = histograms.classes.first(where: { $0.label == item.label }) else { return nil }
            return DistanceFigure(edges: histograms.edges, counts: counts, name: title(item)).markup
        }
        let tested: Markup =
            effects.isEmpty
            ? ""
            : """
            <h3>What the estimated trigger does</h3>
            <p class="note">The share of other classes' images that the pattern shared by a class's suspects sends \
            there. The mark is a random pattern of the same size.</p>
            \(trigger.markup)
            """
        let directions: Markup =
            report.options.method == .published
            ? ""
            : """
            <h3>How much of a class's perturbations lies in one direction</h3>
            <p class="note">The mark is the job's own null: the same share where nothing is hidden. A backdoor's \
            samples are all pulled in the direction of its trigger.</p>
            \(coherence.markup)
            """
        return """
            \(directions)
            \(tested)
            <h3>How far the samples lie from the decision boundary</h3>
            <p class="note">By predicted class; flagged samples upwards, all others downwards, each side on its own \
            scale. Poisoned samples tend to lie further away.</p>
            <div class="figures">\(distances)</div>
            """
    }

    private static func classes(_ report: JobReport, _ ordered: [ClassEvidence]) -> Markup {
        guard !ordered.isEmpty else { return "" }
        let columns = columns(report.options.method, ordered)
        var table = Table(columns: columns.map { .init(title: $0.title, isNumber: $0.title != "Class") })
        for item in ordered.prefix(maximumRows) {
            table.add(
                columns.map { "\($0.value(item))" },
                kind: report.verdict.targetClasses.contains(item.label) ? "target" : "")
        }
        let rest: Markup =
            ordered.count > maximumRows
            ? "<p class=\"note\">\(ordered.count - maximumRows) more classes are in the JSON form.</p>" : ""
        return """
            <h3>Class by class</h3>
            \(table.markup)
            \(rest)
            """
    }

    /// What was measured: the published method looks at distances alone, the full one at the penultimate layer only where it
    /// has to.
    private static func columns(
        _ method: JobOptions.Method, _ classes: [ClassEvidence]
    ) -> [(title: String, value: (ClassEvidence) -> String)] {
        var columns: [(title: String, value: (ClassEvidence) -> String)] = [
            ("Class", title), ("Predicted so", { "\($0.samples)" }), ("Flagged", { "\($0.flaggedSamples)" }),
            ("Median distance", { Numbers.short($0.medianBoundaryDistance) }),
        ]
        if classes.contains(where: { $0.distanceAUROC != nil }) {
            columns += [
                ("Flagged lie further", { Numbers.percent($0.distanceAUROC) }),
                ("Other groups", { Numbers.percent($0.distanceNull) }),
                ("Distance p", { Numbers.short($0.distancePValue) }),
            ]
        }
        if method == .full {
            columns += [
                ("Coherence", { Numbers.percent($0.coherenceShare) }),
                ("Null", { Numbers.percent($0.coherenceNull) }),
                ("p", { Numbers.short($0.coherencePValue) }),
                ("Trigger", { Numbers.percent($0.triggerEffect) }),
                ("Random", { Numbers.percent($0.randomEffect) }),
            ]
        }
        columns.append(("Adversarial concentration", { Numbers.percent($0.adversarialConcentration) }))
        if classes.contains(where: { $0.featurePValue != nil || $0.unlearningPValue != nil }) {
            columns += [
                ("Penultimate layer p", { Numbers.short($0.featurePValue) }),
                ("Unlearning", { Numbers.short($0.unlearningScore) }),
                ("Unlearning p", { Numbers.short($0.unlearningPValue) }),
            ]
        }
        return columns
    }

    private static func labels(_ report: JobReport) -> Markup {
        let evidence = report.evidence
        guard !evidence.labelMatrix.isEmpty else {
            return "<p>No sample is flagged, so no label was restored.</p>"
        }
        let restored = evidence.labelMatrix.map {
            MatrixFigure.Cell(row: $0.given, column: $0.restored, count: $0.count)
        }
        let adversarial = evidence.adversarialLabels.filter(\.flagged).map {
            MatrixFigure.Cell(row: $0.predicted, column: $0.adversarial, count: $0.count)
        }
        return """
            <h3>Labels of flagged samples</h3>
            <p class="note">From the label given to the label restored. \(report.samples.relabelled) samples get \
            another one.</p>
            \(matrix(restored, "given", "restored", "Given and restored labels of flagged samples", evidence))
            <h3>Where flagged samples tend to</h3>
            <p class="note">The class that a sample falls into when it is pushed over the boundary: for poisoned \
            samples mostly the one they show.</p>
            \(matrix(adversarial, "predicted", "adversarial", "Adversarial labels of flagged samples", evidence))
            """
    }

    private static func matrix(
        _ cells: [MatrixFigure.Cell], _ rows: String, _ columns: String, _ label: String,
        _ evidence: EvidenceDistributions
    ) -> Markup {
        let figure = MatrixFigure(
            label: label, rowTitle: rows, columnTitle: columns, cells: cells, names: evidence.classNames)
        if let drawn = figure.markup { return "<div class=\"scroll\">\(drawn)</div>" }
        var table = Table(columns: [
            .init(title: rows.capitalized), .init(title: columns.capitalized),
            .init(title: "Samples", isNumber: true),
        ])
        for cell in cells.prefix(maximumPairs) {
            table.add([
                "\(JobReport.Words.name(cell.row, evidence.classNames))",
                "\(JobReport.Words.name(cell.column, evidence.classNames))", "\(cell.count)",
            ])
        }
        let rest: Markup =
            cells.count > maximumPairs
            ? "<p class=\"note\">The \(maximumPairs) most frequent of \(cells.count) pairs; the JSON form has all.</p>"
            : ""
        return table.markup + rest
    }

    private static func title(_ item: ClassEvidence) -> String { "\(item.label) \(item.name)" }
}

extension ClassOrder.Source {
    fileprivate var words: String {
        switch self {
        case .given: "as the option “classes” gives them"
        case .modelNames: "as the names in the model's file have them"
        case .imageNet: "as ImageNet's thousand classes are ordered"
        case .numbers: "by their numbers"
        case .sorted: "in the order of their sorted names"
        }
    }
}
