import Findings
import Support

/// The detection of BURN (arXiv 2507.10491) as its abstract describes it, and nothing else: poisoned samples are those that lie
/// abnormally far from the decision boundary. What follows from `JobOptions.method`: the purification restores adversarial labels,
/// trains on these, and refines by what the models disagree about.
struct PublishedDetection {
    let images: LabelledImages
    let table: AnalysisTable
    let judge: Judge

    func run() -> Detection.Outcome {
        let members = members
        let judged = DistanceOutliers.judge(
            members.mapValues { $0.map(distance) }, errorBudget: judge.parameters.errorBudget)
        let labelled = Set(images.labels)
        var outcome = Detection.Outcome(
            of: images,
            findings: (0..<images.classes).map { label in
                var finding = ClassFinding(label: label, judge: judge)
                finding.isInData = labelled.contains(label)
                finding.isSearchedFurther = judged[label] != nil
                if let found = judged[label], found.isTarget {
                    let carriers = (members[label] ?? []).map {
                        ($0, found.posterior(abnormal: distance($0) > found.limit))
                    }
                    finding.conclude(
                        .backdoored,
                        from: .distance(found, carriers: Dictionary(uniqueKeysWithValues: carriers)))
                }
                return finding
            })
        for (label, found) in judged { score(members[label] ?? [], found, &outcome) }
        outcome.verdict = verdict(outcome, judged)
        return outcome
    }

    /// Samples that are predicted as they are labelled, by class: what a backdoor was learned from is.
    private var members: [Int: [Int]] {
        Dictionary(
            grouping: images.labels.indices.filter {
                Int(table.predicted[$0]) == images.labels[$0] && distance($0).isFinite && distance($0) > 0
            }
        ) { images.labels[$0] }
    }

    private func distance(_ sample: Int) -> Double { Double(table.distance[sample]) }

    /// By the distance's rank in the class.
    private func score(_ members: [Int], _ found: DistanceOutliers, _ outcome: inout Detection.Outcome) {
        let order = members.sorted { (distance($0), $0) < (distance($1), $1) }
        for (rank, sample) in order.enumerated() {
            let place = (Double(rank) + 0.5) / Double(order.count)
            guard found.isTarget else {
                outcome.scores[sample] = 0.1 * place
                continue
            }
            outcome.scores[sample] = 0.5 * place
            if distance(sample) > found.limit { outcome.flag(sample, score: 0.5 + 0.5 * place) }
        }
    }

    private func verdict(_ outcome: Detection.Outcome, _ judged: [Int: DistanceOutliers]) -> Verdict {
        var verdict = VerdictBuilder(
            images: images, table: table, findings: outcome.findings, flagged: outcome.flagged, nullShare: 0,
            searchesImages: true, parameters: judge.parameters
        ).verdict()
        // Nothing was measured that it could rest on.
        verdict.confidence = nil
        var lines = [Self.introduction]
        for label in verdict.targetClasses { lines += judged[label].map { [statement(label, $0)] } ?? [] }
        if verdict.targetClasses.isEmpty, !judged.isEmpty { lines.append(nothingFound(judged)) }
        lines += [
            EvidenceStatements.changed(judge.parameters), unjudged(verdict.unjudgedClasses ?? []),
            Self.limits,
        ].compactMap(\.self)
        verdict.evidence.statements = lines
        return verdict
    }

    private static let introduction =
        "This is the published method alone (BURN, arXiv 2507.10491), to compare with: it judges by the samples' distances from "
        + "the decision boundary, restores their adversarial labels, and trains on these."

    private static let limits =
        "Not excluded: whatever does not push samples away from the decision boundary. The published method looks for no shared "
        + "direction, no trigger and no mark in the images, their style or the penultimate layer, and says nothing of how much "
        + "poison it would have noticed. Poison that keeps its true label is not told from other poison, and would be given a "
        + "wrong label."

    private func statement(_ label: Int, _ found: DistanceOutliers) -> String {
        "Class \(images.classNames[label]): \(found.abnormal) of \(found.count) samples with its label lie further from the "
            + "boundary than \(number(found.limit)) (\(percent(found.share)), where \(percent(found.expected)) are expected; p "
            + "\(number(found.pValue)) against that and the shares of the other classes)."
    }

    private func nothingFound(_ judged: [Int: DistanceOutliers]) -> String {
        let highest = judged.max { ($0.value.share, $1.key) < ($1.value.share, $0.key) }
        let most = highest.map {
            " The most are \(percent($0.value.share)) of \(images.classNames[$0.key]), where \(percent($0.value.expected)) are "
                + "expected (p \(number($0.value.pValue)))."
        }
        return
            "In no class do significantly more samples lie unusually far from the boundary than in the others.\(most ?? "")"
    }

    private func unjudged(_ classes: [Int]) -> String? {
        guard !classes.isEmpty else { return nil }
        return
            "Not judged: \(classes.map { images.classNames[$0] }.joined(separator: ", ")). Fewer than \(DistanceOutliers.fewest) "
            + "samples are predicted as these classes and labelled so."
    }

    private func number(_ value: Double) -> String { String(format: "%.3g", value) }
}
