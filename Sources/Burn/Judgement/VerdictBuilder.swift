import Findings
import Foundation

/// Puts the findings of all classes into one verdict, with its evidence in numbers and words (`EvidenceStatements`).
struct VerdictBuilder {
    let images: LabelledImages
    let table: AnalysisTable
    let findings: [ClassFinding]
    let flagged: [Bool]
    /// What the top direction of a class holds where nothing is hidden.
    let nullShare: Double
    /// There were enough images to look for patterns and styles in them.
    let searchesImages: Bool
    /// The last round of searches found nothing.
    var isWhole = true
    let parameters: Parameters

    static let empty = Verdict(
        result: .clean, targetClasses: [], kind: nil, poisonedSamples: 0, poisonRate: 0,
        poisonRateInterval: [0, 0], confidence: nil, detectableRate: nil,
        evidence: Evidence(classes: [], statements: []))

    func verdict() -> Verdict {
        let involved = findings.filter { $0.judgement != .clean }
            .sorted { $0.excess > $1.excess }
        let confirmed = involved.filter { $0.judgement == .backdoored }
        let unjudged = findings.filter(\.isUnjudged)
        let result: Verdict.Result =
            !confirmed.isEmpty
            ? .backdoored : !involved.isEmpty ? .suspicious : unjudged.isEmpty ? .clean : .undetermined
        let predicted = Dictionary(grouping: 0..<images.count) { Int(table.predicted[$0]) }
        let poisoned = flagged.count { $0 }
        let named = confirmed.isEmpty ? involved : confirmed
        let distances = DistanceEvidence.measure(findings, flagged: flagged, table: table)
        return Verdict(
            result: result, targetClasses: named.map(\.label), kind: kind(named), poisonedSamples: poisoned,
            poisonRate: Double(poisoned) / Double(max(images.count, 1)),
            poisonRateInterval: Statistics.wilson(poisoned, of: images.count),
            confidence: confidence(result, named), detectableRate: detectableRate,
            unjudgedClasses: unjudged.map(\.label),
            evidence: Evidence(
                classes: findings.map { evidence($0, members: predicted[$0.label] ?? [], distances) },
                statements: EvidenceStatements(
                    images: images, table: table, findings: findings, flagged: flagged, distances: distances,
                    detectableRate: detectableRate, searchesImages: searchesImages, isWhole: isWhole,
                    parameters: parameters
                ).lines(named: named)))
    }

    private func kind(_ named: [ClassFinding]) -> Verdict.Kind? {
        guard !named.isEmpty else { return nil }
        if named.flatMap(\.withFurther).allSatisfy(\.isCleanLabel) { return .cleanLabel }
        if named.count == 1 { return .allToOne }
        return named.count * 2 > images.classes && named.count > 2 ? .allToAll : .severalTargets
    }

    /// For a backdoor: the posterior at even odds under the largest Bayes factor that its p-value allows. For a clean
    /// model: the posterior at even odds against poison of the detectable rate, which was noticed in so many of the trials,
    /// less what the strongest finding that did not suffice leaves of it. Nil where nothing is decided.
    private func confidence(_ result: Verdict.Result, _ named: [ClassFinding]) -> Double? {
        switch result {
        case .suspicious, .undetermined: nil
        case .backdoored: posterior(named.map(\.decisivePValue))
        case .clean where !isMeasured: nil
        case .clean:
            findings.compactMap(\.noticed).map { Statistics.cautiousShare($0.found, of: $0.trials) }.min().map
            {
                max(0.5, 1 / (2 - $0) - 0.9 * (posterior(findings.map(\.strongestPValue)) - 0.5))
            }
        }
    }

    /// Of a backdoor in one of the classes, 0.5 to 1 (Sellke, Bayarri and Berger, "Calibration of p values", 2001).
    private func posterior(_ pValues: [Double]) -> Double {
        let p = min(1 / M_E, max(1e-12, (pValues.min() ?? 1) * Double(images.classes)))
        let odds = -1 / (M_E * p * log(p))
        return max(0.5, odds / (1 + odds))
    }

    /// It is known of every class above suspicion what would have been noticed there.
    private var isMeasured: Bool {
        findings.allSatisfy {
            $0.judgement != .clean || !$0.isInData || ($0.noticed != nil && !$0.isUnjudged)
        }
    }

    /// What was noticed in the class where the most is needed, as a share of all samples. Nil where that does not hold for all.
    private var detectableRate: Double? {
        guard isMeasured else { return nil }
        return findings.compactMap(\.noticed?.samples).max().map {
            Double($0) / Double(max(images.count, 1))
        }
    }

    private func evidence(
        _ finding: ClassFinding, members: [Int], _ distances: [Int: DistanceEvidence]
    ) -> ClassEvidence {
        let distance = distances[finding.label]
        let suspects = members.filter { flagged[$0] }
        let labels = (suspects.isEmpty ? members : suspects).compactMap(table.metLabel)
        let largest = Dictionary(grouping: labels) { $0 }.values.map(\.count).max() ?? 0
        return ClassEvidence(
            label: finding.label, name: images.classNames[finding.label], samples: members.count,
            flaggedSamples: suspects.count,
            medianBoundaryDistance: Statistics.median(members.compactMap(table.exactDistance)),
            distanceAUROC: distance?.ranks.auroc, distanceNull: distance?.null?.auroc,
            distancePValue: distance?.null?.pValue,
            coherenceShare: finding.coherence?.share ?? 0, coherenceNull: nullShare,
            coherencePValue: finding.coherencePValue,
            triggerEffect: finding.reported?.rate, randomEffect: finding.reported?.random,
            stayingCarriers: finding.held?.control, stayingOthers: finding.held?.rate,
            adversarialConcentration: Double(largest) / Double(max(1, labels.count)),
            featurePValue: finding.features?.gainPValue,
            unlearningScore: finding.unlearned?.score, unlearningPValue: finding.unlearned?.pValue,
            fewestNoticed: finding.noticed?.samples,
            givenLabels: finding.isTarget ? finding.labelReading.rawValue : nil,
            unsureShare: finding.labels?.unsure, furtherTriggers: further(finding))
    }

    /// Nil where one trigger is all that was found.
    private func further(_ finding: ClassFinding) -> [FurtherTrigger]? {
        finding.further.isEmpty
            ? nil
            : finding.further.map {
                FurtherTrigger(
                    flaggedSamples: $0.planted.count, triggerEffect: $0.reported?.rate,
                    randomEffect: $0.reported?.random, stayingCarriers: $0.held?.control,
                    stayingOthers: $0.held?.rate, givenLabels: $0.labelReading.rawValue)
            }
    }
}
