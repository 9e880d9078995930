import Findings
import Foundation
import Support

/// What was found in a class, by what the judgement of it rests on.
extension EvidenceStatements {
    func statement(_ finding: ClassFinding) -> String? {
        switch finding.conclusion?.ground {
        case .perturbations: finding.coherence.map { perturbationStatement(finding, $0) }
        case .pattern(let evidence):
            imageStatement(finding, pValue: evidence.bundlePValue, comparison: agreement(evidence))
        case .common(let evidence): imageStatement(finding, wayBack: evidence.wayBack.map(words) ?? "")
        case .shared(let other): sharedStatement(finding, with: other)
        case .style: finding.style.map { styleStatement(finding, $0) }
        case .features: finding.features?.unlearning.map { featureStatement(finding, $0) }
        // `PublishedDetection` speaks for itself.
        case .distance, nil: nil
        }
    }

    /// Where labels are kept for another reason than the cluster's looks.
    func labelStatement(_ finding: ClassFinding) -> String? {
        guard let evidence = finding.labels, finding.labelReading != .wrong else { return nil }
        let sizes =
            "\(evidence.size) samples have the label, \(evidence.rest) without the flagged ones, and the other classes "
            + "\(evidence.usualSize) in the middle"
        let unsure = evidence.unsure.map {
            "; without the trigger the model sees another class in \(percent($0)) of them less surely than in 95 % of known "
                + "images under the same trigger"
        }
        return "Class \(images.classNames[finding.label]): "
            + (finding.labelReading == .right
                ? "the given labels of the flagged samples are taken for true, and kept: "
                : "whether the given labels of the flagged samples are true can't be told, and they are kept: ")
            + sizes + (unsure ?? "") + "."
    }

    private func featureStatement(_ finding: ClassFinding, _ unlearning: UnlearningTest.Outcome) -> String {
        "Class \(images.classNames[finding.label]): no common direction in the images, but one in the model's "
            + "penultimate layer (p \(number(finding.features?.gainPValue ?? 1))). Unlearned on half of its samples, "
            + "it is unlearned on the others: \(percent(unlearning.adopted)) of them take on the label they show, "
            + "while \(percent(unlearning.kept)) of the class's other samples stay "
            + "(p \(number(finding.features?.unlearned?.pValue ?? 1)) against the same test on other classes). No "
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
        let left = removed.map {
            ", \(percent($0.control)) of the samples stay in the class, where \(percent($0.rate)) of the class's others do"
        }
        return
            "Class \(images.classNames[finding.label]): \(evidence.suspects.count) samples with its label differ from "
            + "all others \(words)\(left ?? "") (p \(number(evidence.pValue)) against what the same "
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

    private func sharedStatement(_ finding: ClassFinding, with other: Int) -> String {
        let own = finding.images?.members.count ?? 0
        let source = images.classNames[finding.effect?.topSource ?? finding.label]
        return
            "Class \(images.classNames[finding.label]): \(own) samples with its label carry the trigger that was found in class "
            + "\(images.classNames[other]). Estimated again from them, it sends "
            + "\(percent(finding.effect?.topSourceRate ?? 0)) of \(source)'s images there, a random direction of the same norm "
            + "\(percent(finding.effect?.topSourceRandom ?? 0))."
    }

    private func agreement(_ pattern: PatternEvidence) -> String {
        let cluster = pattern.clusterPValue.map {
            "; the perturbations single out the same samples (p \(number($0)))"
        }
        let removal = pattern.removal.map { "\(words($0)) (p \(number(pattern.removalPValue)))" }
        return "; p \(number(pattern.insertionPValue)) against the other classes' patterns"
            + "\(removal ?? "")\(cluster ?? "")"
    }

    private func words(_ removal: ControlledEffect) -> String {
        "; without it \(percent(removal.control)) of its samples stay in the class, where "
            + "\(percent(removal.rate)) of the class's others do"
    }

    private func words(_ wayBack: WayBack) -> String {
        " Without it, \(percent(wayBack.carriers)) of those that carry it, in whatever class, show the class that it "
            + "sends to their label, and \(percent(wayBack.others)) of others do."
    }

    private func perturbationStatement(_ finding: ClassFinding, _ coherence: ClassCoherence) -> String {
        let name = images.classNames[finding.label]
        let own = Set(finding.planted)
        let suspects = coherence.members.filter { own.isEmpty ? flagged[$0] : own.contains($0) }
        let source = finding.effect.flatMap { effect in
            effect.sourceSpecific
                ? " (mostly \(images.classNames[effect.topSource]): \(percent(effect.topSourceRate)))" : nil
        }
        let held = finding.removal.map(words) ?? ""
        let without = coherence.remainderStrength.map { ", without them \(number($0.tightness))" } ?? ""
        // Of samples beside a bundle, only the bundle's own numbers are known.
        let tightness =
            coherence.isTurned ? "" : " (mean cosine \(number(coherence.tightness))\(without))"
        return
            "Class \(name): \(suspects.count) of \(coherence.members.count) samples predicted so "
            + (coherence.isTurned ? "stand apart from those that share one direction" : "share one direction")
            + "\(tightness); the trigger estimated from them sends "
            + "\(percent(finding.effect?.rate ?? 0)) of other classes' images there\(source ?? ""), a random "
            + "direction of the same norm \(percent(finding.effect?.random ?? 0))\(held)."
    }

    /// In BURN's terms.
    func distanceWords(_ finding: ClassFinding) -> String {
        guard let found = distances[finding.label] else { return "" }
        let null = found.null.map {
            "; the samples that share most in \($0.groups) other classes: \(percent($0.auroc)), p \(number($0.pValue))"
        }
        return
            " Their boundary distances, by first order (median \(number(found.median))) are on average larger than those of "
            + "\(percent(found.ranks.auroc)) of the class's other samples (median \(number(found.othersMedian))\(null ?? ""))."
    }

    private func number(_ value: Double) -> String { String(format: "%.3g", value) }
}
