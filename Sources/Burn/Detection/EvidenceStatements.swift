import Evaluation
import Findings
import Foundation

/// The evidence in words, for the people who have to decide.
struct EvidenceStatements {
    let images: LabelledImages
    let table: AnalysisTable
    let findings: [ClassFinding]
    let flagged: [Bool]
    let detectableRate: Double

    /// - Parameter named: the classes that the verdict names.
    func lines(named: [ClassFinding]) -> [String] {
        var lines = named.compactMap(statement)
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

    private func statement(_ finding: ClassFinding) -> String? {
        switch finding.conclusion?.ground {
        case .perturbations: finding.coherence.map { perturbationStatement(finding, $0) }
        case .pattern(let evidence):
            imageStatement(finding, pValue: evidence.bundlePValue, comparison: agreement(evidence))
        case .common(let evidence): imageStatement(finding, wayBack: evidence.wayBack.map(words) ?? "")
        case .style: finding.style.map { styleStatement(finding, $0) }
        case .features: finding.features?.unlearning.map { featureStatement(finding, $0) }
        case nil: nil
        }
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

    /// - Parameters:
    ///   - comparison: of its effect, and with the perturbations.
    ///   - wayBack: what the samples show without it.
    private func imageStatement(
        _ finding: ClassFinding, pValue: Double? = nil, comparison: String = "", wayBack: String = ""
    ) -> String {
        guard let bundle = finding.images else { return "" }
        let own = bundle.members(labelled: finding.label, in: images)
        let contradicted = own.count { Int(table.predicted[$0]) != finding.label }
        let source = images.classNames[finding.effect?.topSource ?? finding.label]
        return
            "Class \(images.classNames[finding.label]): \(own.count) samples with its label share a pattern in the "
            + "images themselves (p \(number(pValue ?? bundle.pValue)) against patterns that grow from "
            + "other samples). Estimated from them, it sends \(percent(finding.effect?.rate ?? 0)) of other classes' images there, most of "
            + "\(source) (\(percent(finding.effect?.topSourceRate ?? 0)), a random direction of the same norm "
            + "\(percent(finding.effect?.topSourceRandom ?? 0)))\(comparison). The model sees another class in "
            + "\(percent(Double(contradicted) / Double(max(own.count, 1)))) of them.\(wayBack)"
    }

    private func agreement(_ pattern: PatternEvidence) -> String {
        let cluster = pattern.clusterPValue.map {
            "; the perturbations single out the same samples (p \(number($0)))"
        }
        let removal = pattern.removal.map {
            "; without it \(percent($0.control)) of its samples stay in the class, where \(percent($0.rate)) of the "
                + "class's others do (p \(number(pattern.removalPValue)))"
        }
        return "; p \(number(pattern.insertionPValue)) against the other classes' patterns"
            + "\(removal ?? "")\(cluster ?? "")"
    }

    private func words(_ wayBack: WayBack) -> String {
        " Without it, \(percent(wayBack.carriers)) of those that carry it, in whatever class, show the class that it "
            + "sends to their label, and \(percent(wayBack.others)) of others do."
    }

    private func perturbationStatement(_ finding: ClassFinding, _ coherence: ClassCoherence) -> String {
        let name = images.classNames[finding.label]
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
