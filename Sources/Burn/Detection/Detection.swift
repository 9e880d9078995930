import Execution
import Findings
import Foundation
import Tensors

/// The second phase: from perturbations to flagged samples and a verdict.
package struct Detection {
    package let model: GraphModel
    package let images: LabelledImages
    package let table: AnalysisTable
    package let store: PerturbationStore
    /// Unit changes of the penultimate activations; nil for a model without such a layer.
    package var features: PerturbationStore?
    /// For working files.
    package let directory: String
    package let options: JobOptions
    package let token: CancellationToken

    package init(
        model: GraphModel, images: LabelledImages, table: AnalysisTable, store: PerturbationStore,
        features: PerturbationStore?, directory: String, options: JobOptions, token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.table = table
        self.store = store
        self.features = features
        self.directory = directory
        self.options = options
        self.token = token
    }

    package struct Outcome: Sendable {
        package var findings: [ClassFinding]
        package var flagged: [Bool]
        /// Evidence that the sample is poisoned, 0 to 1.
        package var scores: [Double]
        /// Cosine of the sample's perturbation to its predicted class's direction.
        package var coherence: [Double]
        package var verdict: Verdict

        /// Further evidence only ever raises a score.
        package mutating func flag(_ sample: Int, score: Double) {
            flagged[sample] = true
            scores[sample] = max(scores[sample], score)
        }

        package var diagnosis: Diagnosis {
            Diagnosis(
                verdict: verdict, flagged: flagged, scores: scores, coherence: coherence,
                backdoors: findings.compactMap(Backdoor.init))
        }
    }

    package func run(progress: @escaping @Sendable (DetectionWork.Progress) -> Void) throws -> Outcome {
        if options.method == .published { return PublishedDetection(images: images, table: table).run() }
        let work = DetectionWork(costs, report: progress)
        return try model.passes.following {
            work.add(Double($0))
        } _: {
            try run(work)
        }
    }

    var costs: DetectionCosts {
        DetectionCosts(samples: images.count, classes: images.classes, isExact: store.isExact)
    }

    private func run(_ work: DetectionWork) throws -> Outcome {
        let members = Dictionary(grouping: 0..<images.count) { Int(table.predicted[$0]) }
            .filter { $0.value.count >= ClassCoherence.fewestForBundle }
        var findings = try coherences(members, work)
        let null = try CoherenceNull(
            members: members, coherences: findings.compactMap(\.coherence), store: store,
            seed: options.methodSeed,
            token: token)
        for index in findings.indices {
            findings[index].coherencePValue =
                findings[index].coherence.flatMap {
                    null.pValue(of: $0.strength, label: findings[index].label)
                } ?? 1
        }
        let search = TriggerSearch(
            model: model, images: images, table: table, store: store, seed: options.methodSeed, token: token)
        let imageSearch = try imageSearch(search)
        let worthTesting = Self.worthTesting(findings)
        work.enter(.triggers, passes: costs.triggers(worthTesting.count))
        for index in worthTesting {
            try token.check()
            try search.examineSides(&findings[index], classes: images.classes)
            try imageSearch?.confirm(&findings[index])
        }
        compareCauses(&findings)
        if null.isSmall { try compareEffects(&findings, search, work) }
        for index in findings.indices { findings[index].judge(classes: images.classes) }
        try searchFurther(&findings, imageSearch, work)
        try imageSearch?.examineFurtherTargets(&findings)
        try search.examineShared(&findings, classes: images.classes)
        var outcome = Outcome(
            findings: findings, flagged: Array(repeating: false, count: images.count),
            scores: Array(repeating: 0, count: images.count),
            coherence: Array(repeating: 0, count: images.count),
            verdict: VerdictBuilder.empty)
        for finding in findings { outcome.flag(finding, in: images) }
        for match in try TriggerTemplate.matches(
            targets: findings.filter(\.isTarget).map(\.label), flagged: outcome.flagged, images: images,
            table: table)
        {
            outcome.flag(match.sample, score: match.score)
        }
        try readLabels(&outcome, search)
        try measurePower(&outcome.findings, members, null)
        outcome.verdict = VerdictBuilder(
            images: images, table: table, findings: outcome.findings, flagged: outcome.flagged,
            nullShare: null.share, searchesImages: imageSearch != nil
        ).verdict()
        work.finish()
        return outcome
    }

    /// Where no class stands out by its perturbations: the images themselves, from what the penultimate layer
    /// suggests; then their style; then the penultimate layer alone, which costs the most.
    private func searchFurther(
        _ findings: inout [ClassFinding], _ imageSearch: ImageSearch?, _ work: DetectionWork
    ) throws {
        guard !Self.isSettled(findings) else { return }
        let search = features.map {
            FeatureSearch(
                model: model, images: images, table: table, store: $0, seed: options.methodSeed, token: token)
        }
        try search?.gather(&findings)
        let styles = imageSearch == nil ? [] : ImageStyle.allCases
        work.expect(.commonPatterns, passes: imageSearch == nil ? 0 : costs.commonPatterns)
        work.expect(.styles, passes: Double(styles.count) * costs.style)
        work.expect(.features, passes: costs.features(candidates: search?.candidates(findings).count ?? 0))
        work.enter(.classPatterns, passes: imageSearch == nil ? 0 : costs.classPatterns)
        if let imageSearch {
            try Self.settle(&findings, by: imageSearch.examineClasses)
            work.enter(.commonPatterns)
            try Self.settle(&findings, by: imageSearch.examineAllClasses)
        }
        for (done, style) in styles.enumerated() {
            work.enter(.styles, passes: Double(styles.count - done) * costs.style)
            try Self.settle(&findings) { try styleSearch(style)?.examine(&$0) }
        }
        work.enter(.features)
        try Self.settle(&findings) { try search?.examine(&$0) }
    }

    /// Runs one search more, unless a backdoor is known. What was only suspected does not stand in its way: where the
    /// search finds a backdoor, the suspicions are explained; where it doesn't, they stay.
    package static func settle(
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
            triggers: triggers, seed: options.methodSeed, token: token)
    }

    /// Nil for a data set too small to know its own covariance, or images too small to have the style.
    private func styleSearch(_ style: ImageStyle) throws -> StyleSearch? {
        guard images.count >= ImageWhitening.fewestImages, let description = try style.description(of: images)
        else { return nil }
        return StyleSearch(
            style: style, model: model, images: images, table: table,
            store: try whitened(description, "\(style).f16"), seed: options.methodSeed, token: token)
    }

    private func whitened(_ description: any ImageDescription, _ file: String) throws -> PerturbationStore {
        try ImageWhitening(description, of: images.count, token: token)
            .write(images.count, to: "\(directory)/\(file)", token: token)
    }

    /// Tells whether what was planted has its true labels.
    private func readLabels(_ outcome: inout Outcome, _ search: TriggerSearch) throws {
        let targets = outcome.findings.indices.filter { outcome.findings[$0].isTarget }
        let affected = Set(targets.map { outcome.findings[$0].label })
        var sizes = [Int](repeating: 0, count: images.classes)
        var planted: [Int: [Int]] = [:]
        for (sample, label) in images.labels.enumerated() {
            sizes[label] += 1
            if outcome.flagged[sample], affected.contains(label) {
                planted[label, default: []].append(sample)
            }
        }
        for index in targets where !outcome.findings[index].isCleanLabel {
            try token.check()
            let finding = outcome.findings[index]
            let evidence = try search.labelEvidence(
                of: finding, planted: planted[finding.label] ?? [], affected: affected, sizes: sizes)
            outcome.findings[index].labels = evidence
            outcome.findings[index].isCleanLabel = evidence.reading == .right
        }
    }

    /// Asks of the classes above suspicion what could have been found in them.
    private func measurePower(
        _ findings: inout [ClassFinding], _ members: [Int: [Int]], _ null: CoherenceNull
    ) throws {
        let power = DetectionPower(
            members: members, store: store, null: null, classes: images.classes, seed: options.methodSeed,
            token: token)
        let measured = try power.measure(findings.filter { $0.judgement == .clean }.map(\.label))
        let labelled = Set(images.labels)
        for index in findings.indices {
            findings[index].noticed = measured[findings[index].label]
            findings[index].isInData = labelled.contains(findings[index].label)
            findings[index].isSearchedFurther =
                images.count >= ImageWhitening.fewestImages
                && (members[findings[index].label]?.count ?? 0) >= 2 * ClassCoherence.fewestMembers
        }
    }

    private func coherences(_ members: [Int: [Int]], _ work: DetectionWork) throws -> [ClassFinding] {
        try (0..<images.classes).map { label in
            try token.check()
            defer { work.add(costs.bundles / Double(images.classes)) }
            var finding = ClassFinding(label: label)
            if let samples = members[label] {
                finding.coherence = try ClassCoherence(
                    members: samples, store: store, seed: options.methodSeed &+ UInt64(label))
            }
            return finding
        }
    }
}
