import Evaluation
import Findings
import Foundation

/// Puts the findings of all classes into one verdict, with its evidence in numbers and words.
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
                classes: findings.map(evidence), statements: statements(result, named)))
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

    private func statements(_ result: Verdict.Result, _ named: [ClassFinding]) -> [String] {
        var lines = named.compactMap { finding in
            finding.coherence.map { statement(finding, $0) }
        }
        if named.isEmpty {
            lines.append("No class holds a group of samples that share a direction which works as a trigger.")
        }
        let idle = findings.filter {
            $0.judgement == .clean && $0.hasDistinctCluster
                && $0.coherencePValue < ClassFinding.significance / Double(images.classes)
        }
        for finding in idle {
            lines.append(
                "Class \(images.classNames[finding.label]): \(finding.coherence?.cluster.count ?? 0) samples share "
                    + "a direction that does not work as a trigger, as near-duplicates do.")
        }
        let small = findings.filter { $0.coherence == nil }.map { images.classNames[$0.label] }
        if !small.isEmpty {
            lines.append(
                "Too few samples are predicted as \(small.prefix(10).joined(separator: ", ")) to analyse them."
            )
        }
        lines.append(
            "Not excluded: poison below \(percent(detectableRate)) of the samples, and triggers that differ from "
                + "sample to sample without a common direction in input space.")
        return lines
    }

    private func featureStatement(_ finding: ClassFinding, _ unlearning: UnlearningTest.Outcome) -> String {
        "Class \(images.classNames[finding.label]): no common direction in the images, but one in the model's "
            + "penultimate layer (p \(number(finding.features?.gainPValue ?? 1))). Unlearned on half of its samples, "
            + "it is unlearned on the others: \(percent(unlearning.adopted)) of them take on the label they show, "
            + "while \(percent(unlearning.kept)) of the class's other samples stay "
            + "(p \(number(finding.features?.unlearningPValue ?? 1)) against the same test on other classes). No "
            + "trigger was estimated; samples that were mislabelled on purpose without one would look alike."
    }

    private func styleStatement(_ finding: ClassFinding, _ evidence: StyleEvidence) -> String {
        let (inserted, removed) = (evidence.insertion, evidence.removal)
        let words =
            switch evidence.style {
            case .noise:
                "in how their pixels differ from their neighbours. That noise, laid over images of other classes, sends "
                    + "\(percent(inserted.rate)) of them there, noise of other classes \(percent(inserted.control)). "
                    + "With other noise in its place"
            case .tone:
                "in their tones: how light they are, and how their colours are mixed. The same change of tone sends "
                    + "\(percent(inserted.rate)) of other classes' images there, without it "
                    + "\(percent(inserted.control)) are. With the change undone"
            }
        return
            "Class \(images.classNames[finding.label]): \(evidence.suspects.count) samples with its label differ from "
            + "all others \(words), \(percent(removed.control)) of the samples stay in the class, where "
            + "\(percent(removed.rate)) of the class's others do (p \(number(evidence.pValue)) against what the same "
            + "does in other classes\(evidence.unlearned == nil ? "" : ", unlearning them among it")). No pattern "
            + "was estimated."
    }

    private func imageStatement(_ finding: ClassFinding, _ bundle: ImageBundle) -> String {
        let own = bundle.members(labelled: finding.label, in: images)
        let contradicted = own.count { Int(table.predicted[$0]) != finding.label }
        let source = images.classNames[finding.effect?.topSource ?? finding.label]
        let further = finding.pattern.map(agreement)
        let wayBack = finding.common?.wayBack.map { way in
            " Without it, \(percent(way.carriers)) of those that carry it, in whatever class, show the class that it "
                + "sends to their label, and \(percent(way.others)) of others do."
        }
        return
            "Class \(images.classNames[finding.label]): \(own.count) samples with its label share a pattern in the "
            + "images themselves (p \(number(bundle.pValue)) against patterns grown from random samples). Estimated "
            + "from them, it sends \(percent(finding.effect?.rate ?? 0)) of other classes' images there, most of "
            + "\(source) (\(percent(finding.effect?.topSourceRate ?? 0)), a random direction of the same norm "
            + "\(percent(finding.effect?.topSourceRandom ?? 0)))\(further ?? ""). The model sees another class in "
            + "\(percent(Double(contradicted) / Double(max(own.count, 1)))) of them.\(wayBack ?? "")"
    }

    private func agreement(_ pattern: PatternEvidence) -> String {
        let cluster = pattern.clusterPValue.map {
            "; the perturbations single out the same samples (p \(number($0)))"
        }
        return "; p \(number(pattern.effectPValue)) against the other classes' patterns\(cluster ?? "")"
    }

    private func statement(_ finding: ClassFinding, _ coherence: ClassCoherence) -> String {
        let name = images.classNames[finding.label]
        if finding.isFoundByStyle, let style = finding.style { return styleStatement(finding, style) }
        if finding.isFoundByFeatures, let unlearning = finding.features?.unlearning {
            return featureStatement(finding, unlearning)
        }
        if finding.isFoundByImages, let bundle = finding.images {
            return imageStatement(finding, bundle)
        }
        let suspects = coherence.members.filter { flagged[$0] }
        let distances = Statistics.median(suspects.map { Double(table.distance[$0]) })
        let rest = Statistics.median(
            coherence.members.filter { !flagged[$0] }.map { Double(table.distance[$0]) })
        let source = finding.effect.flatMap { effect in
            effect.sourceSpecific
                ? " (mostly \(images.classNames[effect.topSource]): \(percent(effect.topSourceRate)))" : nil
        }
        return
            "Class \(name): \(suspects.count) of \(coherence.members.count) samples predicted so share one "
            + "direction (mean cosine \(number(coherence.tightness)), without them "
            + "\(number(coherence.remainderTightness))); the trigger estimated from them sends "
            + "\(percent(finding.effect?.rate ?? 0)) of other classes' images there\(source ?? ""), a random "
            + "direction of the same norm \(percent(finding.effect?.random ?? 0)); their median boundary "
            + "distance is \(number(distances)), the others' \(number(rest))."
    }

    private func number(_ value: Double) -> String { String(format: "%.3g", value) }
    private func percent(_ value: Double) -> String { String(format: "%.3g %%", 100 * value) }
}
