import Evaluation
import Execution
import Findings
import Foundation
import Tensors

/// The second phase: from perturbations to flagged samples and a verdict.
struct Detection {
    let model: GraphModel
    let images: LabelledImages
    let table: AnalysisTable
    let store: PerturbationStore
    /// Unit changes of the penultimate activations; nil for a model without such a layer.
    var features: PerturbationStore?
    /// For working files.
    let directory: String
    let options: JobOptions
    let token: CancellationToken

    struct Outcome: Sendable {
        var findings: [ClassFinding]
        var flagged: [Bool]
        /// Evidence that the sample is poisoned, 0 to 1.
        var scores: [Double]
        /// Cosine of the sample's perturbation to its predicted class's direction.
        var coherence: [Double]
        var verdict: Verdict
        /// What people decided; the flags go by it, the verdict does not.
        var reviews = Reviews.none

        /// Further evidence only ever raises a score.
        mutating func flag(_ sample: Int, score: Double) {
            flagged[sample] = true
            scores[sample] = max(scores[sample], score)
        }

        /// Classes whose triggers are to be removed.
        var targets: [ClassFinding] {
            findings.filter { $0.judgement != .clean && ($0.trigger != nil || $0.isWithoutTrigger) }
        }
    }

    func run(progress: (Double) -> Void) throws -> Outcome {
        var findings = try coherences(progress)
        compareWithNull(&findings)
        let search = TriggerSearch(
            model: model, images: images, table: table, store: store, seed: options.seed, token: token)
        let imageSearch = try imageSearch(search)
        for index in findings.indices where findings[index].isWorthTesting {
            try token.check()
            try search.examine(&findings[index], suspects: findings[index].coherence?.cluster ?? [])
            try imageSearch?.confirm(&findings[index])
            findings[index].judge(classes: images.classes)
            progress(0.4 + 0.2 * Double(index + 1) / Double(findings.count))
        }
        try searchFurther(&findings, imageSearch) { progress(0.6 + 0.4 * $0) }
        try imageSearch?.examineFurtherTargets(&findings)
        var outcome = Outcome(
            findings: findings, flagged: Array(repeating: false, count: images.count),
            scores: Array(repeating: 0, count: images.count),
            coherence: Array(repeating: 0, count: images.count),
            verdict: VerdictBuilder.empty)
        for finding in findings { outcome.flag(finding, in: images) }
        for match in try TriggerTemplate.matches(
            targets: outcome.targets.map(\.label), flagged: outcome.flagged, images: images, table: table)
        {
            outcome.flag(match.sample, score: match.score)
        }
        outcome.verdict = VerdictBuilder(
            images: images, table: table, findings: findings, flagged: outcome.flagged
        ).verdict()
        progress(1)
        return outcome
    }

    /// Where no class stands out by its perturbations: the images themselves, from what the penultimate layer
    /// suggests; then their style; then the penultimate layer alone, which costs the most.
    private func searchFurther(
        _ findings: inout [ClassFinding], _ imageSearch: ImageSearch?, _ progress: (Double) -> Void
    ) throws {
        guard !Self.isSettled(findings) else { return }
        let search = features.map {
            FeatureSearch(
                model: model, images: images, table: table, store: $0, seed: options.seed, token: token)
        }
        try search?.gather(&findings)
        if let imageSearch {
            try Self.settle(&findings, by: imageSearch.examineClasses)
            try Self.settle(&findings, by: imageSearch.examineAllClasses)
        }
        for style in ImageStyle.allCases {
            try Self.settle(&findings) { try styleSearch(style)?.examine(&$0) }
        }
        try Self.settle(&findings) { try search?.examine(&$0, progress: progress) }
    }

    /// Runs one search more, unless a backdoor is known. What was only suspected does not stand in its way: where the
    /// search finds a backdoor, the suspicions are explained; where it doesn't, they stay.
    static func settle(
        _ findings: inout [ClassFinding], by search: (inout [ClassFinding]) throws -> Void
    ) rethrows {
        guard !isSettled(findings) else { return }
        var further = findings
        for index in further.indices { further[index].dropSuspicion() }
        try search(&further)
        let isFound = isSettled(further)
        for index in findings.indices where isFound || findings[index].judgement == .clean {
            findings[index] = further[index]
        }
    }

    private static func isSettled(_ findings: [ClassFinding]) -> Bool {
        findings.contains { $0.judgement == .backdoored }
    }

    /// Nil for a data set too small to know its own covariance.
    private func imageSearch(_ triggers: TriggerSearch) throws -> ImageSearch? {
        guard images.count >= ImageWhitening.fewestImages else { return nil }
        return ImageSearch(
            images: images, table: table, store: try whitened(PixelDescription(images), "whitened.f16"),
            triggers: triggers, seed: options.seed, token: token)
    }

    /// Nil for a data set too small to know its own covariance, or images too small to have the style.
    private func styleSearch(_ style: ImageStyle) throws -> StyleSearch? {
        guard images.count >= ImageWhitening.fewestImages, let description = try style.description(of: images)
        else { return nil }
        return StyleSearch(
            style: style, model: model, images: images, table: table,
            store: try whitened(description, "\(style).f16"), seed: options.seed, token: token)
    }

    private func whitened(_ description: any ImageDescription, _ file: String) throws -> PerturbationStore {
        try ImageWhitening(description, of: images.count, token: token)
            .write(images.count, to: "\(directory)/\(file)", token: token)
    }

    private func coherences(_ progress: (Double) -> Void) throws -> [ClassFinding] {
        let members = Dictionary(grouping: 0..<images.count) { Int(table.predicted[$0]) }
        return try (0..<images.classes).map { label in
            try token.check()
            defer { progress(0.4 * Double(label + 1) / Double(images.classes)) }
            var finding = ClassFinding(label: label)
            if let samples = members[label], samples.count >= ClassCoherence.fewestMembers {
                finding.coherence = try ClassCoherence(
                    members: samples, store: store, seed: options.seed &+ UInt64(label))
            }
            return finding
        }
    }

    /// The null: every class once its own cluster is taken out. Three comparisons: tightness of the strongest
    /// bundle, how clearly it stands apart from its class, and share of the top direction; the smallest p-value
    /// counts, times three for having been chosen.
    private func compareWithNull(_ findings: inout [ClassFinding]) {
        let coherences = findings.compactMap(\.coherence)
        let tightness = coherences.map { Self.fisher($0.remainderTightness) }
        let shares = coherences.map { log(max($0.remainderShare, 1e-9)) }
        let gains = coherences.map { log(1 + $0.remainderGain) }
        for index in findings.indices {
            guard let coherence = findings[index].coherence else { continue }
            let byTightness = Statistics.pValue(
                of: Self.fisher(coherence.tightness), against: tightness, priorDeviation: 0.15)
            let byShare = Statistics.pValue(
                of: log(max(coherence.share, 1e-9)), against: shares, priorDeviation: 0.35)
            let byGain = Statistics.pValue(
                of: log(1 + coherence.gain), against: gains, priorDeviation: 0.7)
            findings[index].coherencePValue = min(1, 3 * min(byTightness, byShare, byGain))
        }
    }

    /// Fisher's transformation: makes cosines roughly normal.
    private static func fisher(_ cosine: Double) -> Double {
        let bounded = min(max(cosine, -0.999), 0.999)
        return 0.5 * log((1 + bounded) / (1 - bounded))
    }
}
