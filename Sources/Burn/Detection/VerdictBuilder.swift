import Evaluation
import Findings
import Foundation

/// Puts the findings of all classes into one verdict, with its evidence in numbers and words (`EvidenceStatements`).
struct VerdictBuilder {
    let images: LabelledImages
    let table: AnalysisTable
    let findings: [ClassFinding]
    let flagged: [Bool]

    static let empty = Verdict(
        result: .clean, targetClasses: [], kind: nil, poisonedSamples: 0, poisonRate: 0,
        poisonRateInterval: [0, 0], confidence: 0.5, detectableRate: 1,
        evidence: Evidence(classes: [], statements: []))

    func verdict() -> Verdict {
        let involved = findings.filter { $0.judgement != .clean }
            .sorted { $0.excess > $1.excess }
        let confirmed = involved.filter { $0.judgement == .backdoored }
        let result: Verdict.Result = involved.isEmpty ? .clean : confirmed.isEmpty ? .suspicious : .backdoored
        let poisoned = flagged.count { $0 }
        let named = confirmed.isEmpty ? involved : confirmed
        return Verdict(
            result: result, targetClasses: named.map(\.label), kind: kind(named), poisonedSamples: poisoned,
            poisonRate: Double(poisoned) / Double(max(images.count, 1)),
            poisonRateInterval: Statistics.wilson(poisoned, of: images.count),
            confidence: confidence(result, named), detectableRate: detectableRate,
            evidence: Evidence(
                classes: findings.map(evidence),
                statements: EvidenceStatements(
                    images: images, table: table, findings: findings, flagged: flagged,
                    detectableRate: detectableRate
                ).lines(named: named)))
    }

    private func kind(_ named: [ClassFinding]) -> Verdict.Kind? {
        guard !named.isEmpty else { return nil }
        if named.allSatisfy(\.isCleanLabel) { return .cleanLabel }
        if named.count == 1 { return .allToOne }
        return named.count * 2 > images.classes && named.count > 2 ? .allToAll : .severalTargets
    }

    /// For a backdoor: the posterior at even odds under the largest Bayes factor that its p-value allows. For a clean
    /// model: what is left of one after the strongest finding that did not suffice, and never more than 0.95, since
    /// triggers without a common direction in input space can't be excluded.
    private func confidence(_ result: Verdict.Result, _ named: [ClassFinding]) -> Double {
        switch result {
        case .clean: 0.95 - 0.9 * (posterior(findings.map(\.strongestPValue)) - 0.5)
        case .suspicious: 0.5
        case .backdoored: posterior(named.map(\.decisivePValue))
        }
    }

    /// Of a backdoor in one of the classes, 0.5 to 1 (Sellke, Bayarri and Berger, "Calibration of p values", 2001).
    private func posterior(_ pValues: [Double]) -> Double {
        let p = min(1 / M_E, max(1e-12, (pValues.min() ?? 1) * Double(images.classes)))
        let odds = -1 / (M_E * p * log(p))
        return max(0.5, odds / (1 + odds))
    }

    /// Smallest cluster that would have been told from its class, as a share of all samples.
    private var detectableRate: Double {
        let sizes = findings.compactMap { $0.coherence?.members.count }.map(Double.init)
        guard !sizes.isEmpty, images.count > 0 else { return 1 }
        let needed = max(Double(ClassFinding.smallestCluster), Statistics.median(sizes) * 0.005)
        return min(1, needed / Double(images.count))
    }

    private func evidence(_ finding: ClassFinding) -> ClassEvidence {
        let members = finding.coherence?.members ?? []
        let suspects = members.filter { flagged[$0] }
        let labels = Dictionary(grouping: suspects.isEmpty ? members : suspects) {
            table.adversarialLabel[$0]
        }
        let largest = labels.values.map(\.count).max() ?? 0
        return ClassEvidence(
            label: finding.label, name: images.classNames[finding.label], samples: members.count,
            flaggedSamples: suspects.count,
            medianBoundaryDistance: Statistics.median(members.map { Double(table.distance[$0]) }),
            coherenceShare: finding.coherence?.share ?? 0, coherenceNull: nullShare,
            coherencePValue: finding.coherencePValue,
            triggerEffect: finding.reported?.rate, randomEffect: finding.reported?.random,
            adversarialConcentration: Double(largest)
                / Double(max(1, suspects.isEmpty ? members.count : suspects.count)),
            featurePValue: finding.features?.gainPValue,
            unlearningScore: finding.unlearned?.score, unlearningPValue: finding.unlearned?.pValue)
    }

    private var nullShare: Double {
        Statistics.median(findings.compactMap { $0.coherence?.remainderShare })
    }
}
