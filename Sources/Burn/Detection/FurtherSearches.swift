import Support
import Tensors

/// What is looked at where the perturbations show nothing.
extension Detection {
    /// Where no class stands out by its perturbations: the images themselves, from what the penultimate layer
    /// suggests; then their style; then the penultimate layer alone, which costs the most.
    func searchFurther(
        _ findings: inout [ClassFinding], _ searches: inout Searches, _ work: DetectionWork
    ) throws {
        guard !Self.isSettled(findings) else { return }
        work.enter(.featureChanges, passes: searches.hasFeatures ? 0 : costs.featureChanges)
        let search = try searches.features(of: self)
        try search?.gather(&findings)
        let imageSearch = searches.images
        let styles = imageSearch == nil ? [] : ImageStyle.allCases
        work.expect(.commonPatterns, passes: imageSearch == nil ? 0 : costs.commonPatterns)
        work.expect(.styles, passes: Double(styles.count) * costs.style)
        work.expect(.features, passes: costs.features(candidates: search?.candidates(findings).count ?? 0))
        work.enter(.classPatterns, passes: imageSearch == nil ? 0 : costs.classPatterns)
        if let imageSearch {
            try settle(&findings, searches.labelled, by: imageSearch.examineClasses)
            work.enter(.commonPatterns)
            try settle(&findings, searches.labelled, by: imageSearch.examineAllClasses)
        }
        for (done, style) in styles.enumerated() {
            work.enter(.styles, passes: Double(styles.count - done) * costs.style)
            let styleSearch = try searches.style(style, of: self)
            try settle(&findings, searches.labelled) { try styleSearch?.examine(&$0) }
        }
        work.enter(.features)
        try settle(&findings, searches.labelled) { try search?.examine(&$0) }
    }

    private func settle(
        _ findings: inout [ClassFinding], _ labelled: LabelledSamples,
        by search: (inout [ClassFinding]) throws -> Void
    ) throws {
        try Self.settle(&findings) { further in
            try search(&further)
            for index in further.indices { further[index].dropIfImplausible(in: images, labelled) }
        }
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
    func imageSearch(_ triggers: TriggerSearch) throws -> ImageSearch? {
        guard images.count >= ImageWhitening.fewestImages else { return nil }
        return ImageSearch(
            images: images, labelled: triggers.labelled, table: table,
            store: try whitened(PixelDescription(images), "whitened.f16"),
            triggers: triggers, judge: judge, seed: options.methodSeed, pool: classPool, token: token)
    }

    /// Nil for a data set too small to know its own covariance, or images too small to have the style.
    func styleSearch(_ style: ImageStyle, _ labelled: LabelledSamples) throws -> StyleSearch? {
        guard images.count >= ImageWhitening.fewestImages, let description = try style.description(of: images)
        else { return nil }
        return StyleSearch(
            style: style, model: model, images: images,
            labelled: labelled, table: table,
            boundary: boundary,
            store: try whitened(description, "\(style).f16"), judge: judge, seed: options.methodSeed,
            pool: classPool, token: token)
    }

    private func whitened(_ description: any ImageDescription, _ file: String) throws -> PerturbationStore {
        try ImageWhitening(description, of: images.count, token: token)
            .write(images.count, to: "\(directory)/\(file)", token: token)
    }

    /// Nil for a model without a penultimate layer to speak of.
    func featureSearch(_ labelled: LabelledSamples) throws -> FeatureSearch? {
        let steps = FirstSteps(model: model, images: images, table: table, store: store, token: token)
        let changes = try FeatureChanges(
            steps, path: "\(directory)/features.f16", threads: threads, help: boundary.help)
        guard let changes else { return nil }
        try changes.write(labelled.all.filter(table.isSurveyed))
        return FeatureSearch(
            model: model, images: images, labelled: labelled, boundary: boundary, changes: changes,
            judge: judge, seed: options.methodSeed, pool: classPool, token: token)
    }
}
