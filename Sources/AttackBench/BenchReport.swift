import Findings
import Foundation

/// All results of a benchmark, as a table and as JSON.
public struct BenchReport: Sendable {
    public var results: [BenchResult]

    public init(_ results: [BenchResult]) { self.results = results }

    /// Every result with this label that a cache holds, in the order of the folders' names.
    public init(cache: URL, label: String) throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: cache.path).sorted()
        results = try folders.map { cache.appending(path: "\($0)/results/\(label)/result.json") }
            .filter(isThere).map { try readJSON(from: $0) }
    }

    public func writeJSON(to url: URL) throws {
        try AttackBench.writeJSON(results, to: url)
    }

    /// One row for each data set, network, attack and rate; where there are several seeds, mean ± standard
    /// deviation.
    public var markdown: String {
        let header = [
            "data", "network", "attack", "rate", "seeds", "ACC before → after", "ASR before → after",
            "RA before → after", "DER", "TPR", "FPR", "AUROC", "labels right", "verdict", "target found",
            "residual ASR est.", "seconds",
        ]
        let tables = [Self.table(header, groups.map(cells)), evidence, relearning, phases]
        return tables.compactMap(\.self).joined(separator: "\n\n") + "\n"
    }

    /// Results that differ in their seed only, in order of appearance.
    private var groups: [[BenchResult]] {
        var keys: [BenchCase] = []
        var byKey: [BenchCase: [BenchResult]] = [:]
        for result in results {
            var key = result.benchCase
            key.seed = 0
            if byKey[key] == nil { keys.append(key) }
            byKey[key, default: []].append(result)
        }
        return keys.map { byKey[$0] ?? [] }
    }

    private func cells(of group: [BenchResult]) -> [String] {
        guard let first = group.first else { return [] }
        func percent(_ value: (BenchResult) -> Double?) -> String {
            Self.spread(group.map { value($0).map { $0 * 100 } }, digits: 2)
        }
        func beforeAfter(_ path: KeyPath<EvaluationMetrics, Double?>) -> String {
            let before = percent { $0.before[keyPath: path] }
            return before == "–" ? before : before + " → " + percent { $0.after[keyPath: path] }
        }
        let rate =
            Double(first.detection.poisoned)
            / Double(max(1, first.detection.poisoned + first.detection.clean))
        let found = group.compactMap(\.findsTarget)
        return [
            first.benchCase.data, first.benchCase.architecture, first.benchCase.attack ?? "none",
            first.benchCase.attack == nil ? "–" : String(format: "%.1f %%", rate * 100), "\(group.count)",
            beforeAfter(\.acc), beforeAfter(\.asr), beforeAfter(\.ra),
            percent(\.defenceEffectiveness), percent(\.detection.truePositiveRate),
            percent(\.detection.falsePositiveRate),
            Self.spread(group.map(\.detection.auroc), digits: 3), percent(\.detection.restoredPrecision),
            Self.counts(group.map(\.verdict.result.rawValue)),
            found.isEmpty ? "–" : "\(found.count { $0 }) of \(found.count)",
            percent(\.estimatedResidualASR), Self.spread(group.map(\.totalSeconds), digits: 0),
        ]
    }

    /// What each kind of evidence is worth alone: AUROC of poisoned against other samples, and how often the label that a
    /// sample crosses over to is its true one.
    private var evidence: String? {
        let attacked = groups.filter { $0.first?.benchCase.attack != nil }
        guard !attacked.isEmpty else { return nil }
        let header = [
            "network", "attack", "AUROC: distance", "coherence", "all evidence",
            "adversarial label is the true one", "restored label is",
        ]
        return Self.table(
            header,
            attacked.compactMap { group in
                guard let first = group.first else { return nil }
                let detections = group.map(\.detection)
                return [
                    first.benchCase.architecture, first.benchCase.attack ?? "",
                    Self.spread(detections.map(\.distanceAUROC), digits: 3),
                    Self.spread(detections.map(\.coherenceAUROC), digits: 3),
                    Self.spread(detections.map(\.auroc), digits: 3),
                    Self.spread(detections.map { $0.adversarialShare.map { $0 * 100 } }, digits: 1),
                    Self.spread(detections.map { $0.restoredPrecision.map { $0 * 100 } }, digits: 1),
                ]
            })
    }

    /// ASR when the backdoor is trained again; nil where that was not tried.
    private var relearning: String? {
        let tried = groups.filter { $0.contains { $0.relearning != nil } }
        guard !tried.isEmpty else { return nil }
        let header = [
            "network", "attack", "ASR: purified", "and relearned", "plain fine-tuning", "and relearned",
            "never poisoned, learned",
        ]
        return Self.table(
            header,
            tried.compactMap { group in
                guard let first = group.first else { return nil }
                func percent(_ value: (BenchResult) -> Double?) -> String {
                    Self.spread(group.map { value($0).map { $0 * 100 } }, digits: 1)
                }
                return [
                    first.benchCase.architecture, first.benchCase.attack ?? "", percent { $0.after.asr },
                    percent { $0.relearning?.purified }, percent { $0.relearning?.fineTuned },
                    percent { $0.relearning?.fineTunedAfter }, percent { $0.relearning?.neverPoisoned },
                ]
            })
    }

    private var phases: String {
        let names = Phase.allCases.map { $0.rawValue.replacing("_", with: " ") }
        return Self.table(
            ["seconds", "network", "attack"] + names,
            groups.compactMap { group in
                group.first.map { first in
                    [first.benchCase.data, first.benchCase.architecture, first.benchCase.attack ?? "none"]
                        + Phase.allCases.map { phase in
                            Self.spread(
                                group.map { result in result.phases.first { $0.phase == phase }?.seconds },
                                digits: 1)
                        }
                }
            })
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header, header.map { _ in "---" }] + rows).map(row).joined(separator: "\n")
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    /// Mean, and the sample's standard deviation of two values or more.
    static func spread(_ values: [Double?], digits: Int) -> String {
        let values = values.compactMap(\.self)
        guard !values.isEmpty else { return "–" }
        let mean = values.reduce(0, +) / Double(values.count)
        let text = String(format: "%.\(digits)f", mean)
        guard values.count > 1 else { return text }
        let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count - 1)
        return text + " ± " + String(format: "%.\(digits)f", variance.squareRoot())
    }

    private static func counts(_ values: [String]) -> String {
        let distinct = Set(values).sorted()
        guard distinct.count > 1 else { return distinct.first ?? "–" }
        return distinct.map { value in "\(value) \(values.count { $0 == value })" }.joined(separator: ", ")
    }
}
