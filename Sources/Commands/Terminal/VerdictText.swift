import Findings
import Foundation
import Support

/// A job's findings as text for a terminal.
package enum VerdictText {
    package static func render(_ verdict: Verdict, classNames: [Int: String]) -> String {
        var lines = [headline(verdict, classNames: classNames)]
        lines.append(
            "Poisoned samples  \(verdict.poisonedSamples)"
                + "  (rate \(precisePercent(verdict.poisonRate))\(interval(verdict.poisonRateInterval)))")
        if let confidence = verdict.confidence {
            lines.append("Confidence        \(precisePercent(confidence))")
        }
        if let rate = verdict.detectableRate {
            lines.append("Detectable from   a poison rate of \(precisePercent(rate))")
        }
        if let agreement = verdict.agreement {
            lines.append(
                "Labels confirmed  \(precisePercent(agreement.share)) by predictions"
                    + "  (their confidence promises \(precisePercent(agreement.promised)))")
        }
        lines += verdict.evidence.statements.map { "  - \($0.inOneLine)" }
        return lines.joined(separator: "\n")
    }

    /// What the verdict will be, in one line.
    package static func line(_ verdict: PreliminaryVerdict) -> String {
        "verdict so far: \(verdict.result.rawValue), into \(verdict.names.listed.inOneLine)"
    }

    package static func headline(_ verdict: Verdict, classNames: [Int: String]) -> String {
        switch verdict.result {
        case .clean: return "CLEAN: no backdoor found."
        case .suspicious: return "SUSPICIOUS: the kinds of evidence disagree."
        case .undetermined:
            let unjudged = verdict.unjudgedClasses?.count ?? 0
            return
                "UNDETERMINED: too few samples to judge \(unjudged) \(unjudged == 1 ? "class" : "classes")."
        case .backdoored:
            let targets = verdict.targetClasses.map { name(of: $0, classNames) }.joined(separator: ", ")
            let kind = verdict.kind.map { " (\($0.rawValue))" } ?? ""
            return "BACKDOORED: target class \(targets)\(kind)."
        }
    }

    /// ACC, ASR and RA before and after, as a table; nil when nothing was evaluated.
    package static func table(_ metrics: PurificationMetrics) -> String? {
        guard metrics.before != nil || metrics.after != nil else { return nil }
        let rows: [(String, KeyPath<EvaluationMetrics, Double?>)] = [
            ("ACC  clean accuracy", \.acc), ("ASR  attack success rate", \.asr),
            ("RA   robust accuracy", \.ra),
        ]
        var lines = [cell("", 26) + right("before", 9) + right("after", 9)]
        for (title, path) in rows {
            let before = metrics.before?[keyPath: path]
            let after = metrics.after?[keyPath: path]
            guard before != nil || after != nil else { continue }
            lines.append(
                cell(title, 26) + right(before.map(precisePercent) ?? "-", 9)
                    + right(after.map(precisePercent) ?? "-", 9))
        }
        return lines.count > 1 ? lines.joined(separator: "\n") : nil
    }

    /// The class folders' names by the model output they stand for.
    package static func outputNames(classes: [DatasetSummary.ClassCount], mapping: [String: Int]?) -> [Int:
        String]
    {
        let pairs = classes.enumerated().map { (mapping?[$1.name] ?? $1.label ?? $0, $1.name) }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static func interval(_ bounds: [Double]) -> String {
        guard bounds.count == 2 else { return "" }
        return ", 95 % interval \(precisePercent(bounds[0])) to \(precisePercent(bounds[1]))"
    }

    private static func name(of label: Int, _ names: [Int: String]) -> String {
        names[label].map { "\(label) \"\($0.inOneLine)\"" } ?? "\(label)"
    }

    private static func cell(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
