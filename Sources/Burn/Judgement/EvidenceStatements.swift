import Findings
import Foundation
import Support

/// The evidence in words, for the people who have to decide.
struct EvidenceStatements {
    let images: LabelledImages
    let table: AnalysisTable
    let findings: [ClassFinding]
    let flagged: [Bool]
    let distances: [Int: DistanceEvidence]
    let detectableRate: Double?
    let searchesImages: Bool
    /// The last round of searches found nothing.
    let isWhole: Bool
    let parameters: Parameters

    /// - Parameter named: the classes that the verdict names.
    func lines(named: [ClassFinding]) -> [String] {
        var lines = named.flatMap { finding in
            (statement(finding).map { [$0 + distanceWords(finding)] } ?? [])
                + finding.further.compactMap(statement).map { "With these set aside: " + $0 }
        }
        lines += suspected(beside: named)
        if named.isEmpty {
            lines.append(
                (findings.contains(where: \.isUnjudged) ? "No class that could be judged" : "No class")
                    + " holds a group of samples that share a direction which works as a trigger.")
        }
        let idle = findings.filter {
            $0.judgement == .clean && $0.hasDistinctCluster
                && $0.coherencePValue < $0.judge.certain
                && $0.excess < $0.parameters.weakEffect
        }
        for finding in idle {
            lines.append(
                "Class \(images.classNames[finding.label]): \(finding.coherence?.cluster.count ?? 0) samples share "
                    + "a direction that does not work as a trigger, as near-duplicates do.")
        }
        lines += named.flatMap(\.withFurther).compactMap(labelStatement)
        lines += [unjudged, absent].compactMap(\.self)
        lines += [Self.changed(parameters)].compactMap(\.self)
        if !searchesImages {
            lines.append(
                "\(images.count) images are too few to look for patterns, noise and tones in the images themselves "
                    + "(\(ImageWhitening.fewestImages) are needed): this rests on the perturbations alone.")
        }
        lines += [cutShort, comparison, partial, passedOver].compactMap(\.self)
        return lines + [notExcluded]
    }

    /// What is suspected of classes that the verdict does not name.
    private func suspected(beside named: [ClassFinding]) -> [String] {
        let labels = Set(named.map(\.label))
        return findings.filter { $0.judgement == .suspicious && !labels.contains($0.label) }
            .compactMap(statement).map { "Suspected beside that: " + $0 }
    }
}
