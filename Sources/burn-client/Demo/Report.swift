import AttackBench
import Findings
import Foundation
import Support

/// The table at the end.
struct Report {
    var verdict: Verdict
    var metrics: PurificationMetrics
    var score: DetectionScore
    var phases: [FinishedPhase]
    var totalSeconds: Double

    var text: String {
        var lines = [
            "",
            "                             before     after",
            row("ACC  clean accuracy", \.acc),
            row("ASR  attack success rate", \.asr),
            row("RA   robust accuracy", \.ra),
            "",
            "verdict        \(verdictText)",
            "detection      " + detectionText,
        ]
        if let share = score.restoredShare {
            lines.append(
                "restored       \(precisePercent(share)) of the poisoned samples got their true label back")
        }
        lines.append("seconds        " + phaseText)
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ value: KeyPath<EvaluationMetrics, Double?>) -> String {
        let before = metrics.before?[keyPath: value].map(precisePercent) ?? "-"
        let after = metrics.after?[keyPath: value].map(precisePercent) ?? "-"
        return name.padding(toLength: 25, withPad: " ", startingAt: 0) + right(before, 10) + right(after, 10)
    }

    private var verdictText: String {
        var text = verdict.result.rawValue
        if let kind = verdict.kind { text += ", \(kind.rawValue)" }
        if !verdict.targetClasses.isEmpty {
            let names = verdict.targetClasses.map { target in
                verdict.evidence.classes.first { $0.label == target }.map { "\(target) (\($0.name))" }
                    ?? "\(target)"
            }
            text += ", target class " + names.joined(separator: ", ")
        }
        return text + (verdict.confidence.map { String(format: ", confidence %.3f", $0) } ?? "")
    }

    private var detectionText: String {
        var parts: [String] = []
        if let rate = score.truePositiveRate {
            parts.append("TPR \(precisePercent(rate)) (\(score.found) of \(score.poisoned) poisoned samples)")
        }
        if let rate = score.falsePositiveRate {
            parts.append(
                "FPR \(precisePercent(rate)) (\(score.falselyFlagged) of \(score.clean) clean samples)")
        }
        return parts.joined(separator: ", ")
    }

    private var phaseText: String {
        let parts = Phase.allCases.compactMap { phase -> String? in
            let rounds = phases.filter { $0.phase == phase }
            guard !rounds.isEmpty else { return nil }
            let seconds = rounds.map(\.seconds).reduce(0, +)
            return "\(phase.rawValue.replacing("_", with: " ")) \(String(format: "%.1f", seconds))"
        }
        return (parts + ["whole job \(String(format: "%.1f", totalSeconds))"]).joined(separator: ", ")
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }
}
