import Execution
import Findings
import Foundation
import Support
import Tensors

/// The second phase: from perturbations to flagged samples and a verdict.
package struct Detection {
    package let model: GraphModel
    package let images: LabelledImages
    package let boundary: BoundaryAnalysis
    /// Of the survey.
    let table: AnalysisTable
    package let store: PerturbationStore
    /// For working files.
    package let directory: String
    package let options: JobOptions
    let threads: Int
    package let token: CancellationToken
    let judge: Judge
    let costs: DetectionCosts
    /// Samples of classes under suspicion that are descended from at first.
    var analysedOfSuspects = DetectionCosts.analysedOfSuspects
    /// Of one whose groups are poorly parted.
    var analysedOfPoorlyParted = DetectionCosts.analysedOfPoorlyParted

    package init(
        model: GraphModel, images: LabelledImages, boundary: BoundaryAnalysis, store: PerturbationStore,
        directory: String, options: JobOptions, threads: Int, token: CancellationToken
    ) {
        self.model = model
        self.images = images
        self.boundary = boundary
        table = boundary.table
        self.store = store
        self.directory = directory
        self.options = options
        self.threads = threads
        self.token = token
        judge = Judge(options.parameters ?? Parameters(), classes: images.classes)
        costs = DetectionCosts(
            samples: images.count, surveyed: table.surveyed, classes: images.classes, isExact: store.isExact)
    }

    /// - Parameter foreseen: told as soon as a backdoor is found, where that is before the end. What follows takes none of it back.
    package func run(
        foreseen: (PreliminaryVerdict) throws -> Void = { _ in },
        progress: @escaping @Sendable (DetectionWork.Progress) -> Void
    ) throws -> Outcome {
        if options.method == .published {
            return PublishedDetection(images: images, table: table, judge: judge).run()
        }
        let meter = CostMeter(model: model, images: images)
        let work = DetectionWork(
            costs, measure: { meter.end(of: $0, .detection) }, report: progress)
        return try model.passes.following {
            work.add($0.inForwards)
        } _: {
            try run(work, foreseen)
        }
    }

    /// Round after round: what was found is set aside, and more is looked for, until a round finds no backdoor. What is easily found
    /// may be there to hide another one, in its class or elsewhere.
    private func run(
        _ work: DetectionWork, _ foreseen: (PreliminaryVerdict) throws -> Void
    ) throws -> Outcome {
        var outcome = Outcome(of: images)
        var rounds = DetectionRounds(classes: images.classes, judge: judge)
        var searches = try Searches(self)
        let null = try findClusters(&rounds, searches, work)
        while true {
            try search(&rounds, &searches, isSmall: null.isSmall, work)
            let found = rounds.found
            guard !found.isEmpty else { break }
            // What follows looks for further targets, and tells the samples.
            if rounds.planted.isEmpty {
                try foreseen(
                    PreliminaryVerdict(targetClasses: found, names: found.map { images.classNames[$0] }))
            }
            try complete(&rounds.findings, found, searches, work)
            for label in rounds.found {
                rounds.findings[label].dropIfImplausible(in: images, searches.labelled)
            }
            for label in found where rounds.findings[label].judgement == .clean { rounds.close(label) }
            try setAside(&rounds, &outcome, searches.labelled, renewsAll: null.isSmall)
            searches.labelled = rounds.left(of: images)
            guard rounds.goesOn else { break }
            _ = try findClusters(&rounds, searches, work)
        }
        rounds.dropSuspicionsOfPlanted()
        try complete(&rounds.findings, rounds.suspected, searches, work)
        outcome.findings = rounds.merged
        _ = try flag(outcome.findings.filter { $0.judgement != .backdoored }, &outcome, searches.labelled)
        try readLabels(&outcome, searches.triggers)
        try measurePower(&outcome.findings, null)
        work.enter(.distances, passes: DetectionCosts.analysis * Double(DetectionCosts.analysedElsewhere))
        try analyseOthers()
        outcome.verdict = VerdictBuilder(
            images: images, table: boundary.table, findings: outcome.findings, flagged: outcome.flagged,
            nullShare: null.share, searchesImages: searches.images != nil, isWhole: !rounds.isCutShort,
            parameters: judge.parameters
        ).verdict()
        outcome.costs = work.finish()
        return outcome
    }

    /// Looks for groups among the perturbations of the classes to be looked at, and compares them with those of all.
    private func findClusters(
        _ rounds: inout DetectionRounds, _ searches: Searches, _ work: DetectionWork
    ) throws -> CoherenceNull {
        let members = members(searches.labelled)
        let fresh = rounds.fresh
        work.enter(.bundles, passes: costs.bundles * Double(fresh.count) / Double(images.classes))
        let coherences = try classPool.map(fresh.count) { place in
            defer { work.add(costs.bundles / Double(images.classes)) }
            return try members[fresh[place]].map { samples in
                try ClassCoherence(
                    members: samples, store: store, parameters: judge.parameters,
                    seed: options.methodSeed &+ UInt64(fresh[place]))
            }
        }
        for (label, coherence) in zip(fresh, coherences) { rounds.findings[label].coherence = coherence }
        let null = try CoherenceNull(
            members: members, coherences: rounds.findings.compactMap(\.coherence), store: store,
            parameters: judge.parameters, seed: options.methodSeed, token: token)
        for label in fresh {
            rounds.findings[label].coherencePValue =
                rounds.findings[label].coherence.flatMap { null.pValue(of: $0.strength, label: label) } ?? 1
        }
        return null
    }

    /// Samples that were surveyed, by the class that the model predicts: of classes with so many that a bundle may be among them.
    func members(_ labelled: LabelledSamples) -> [Int: [Int]] {
        Dictionary(grouping: labelled.all.filter(table.isSurveyed)) { Int(table.predicted[$0]) }
            .filter { $0.value.count >= ClassCoherence.fewestForBundle }
    }

    /// One round: judges the classes' clusters, and goes on to the other searches where these find no backdoor.
    private func search(
        _ rounds: inout DetectionRounds, _ searches: inout Searches, isSmall: Bool, _ work: DetectionWork
    ) throws {
        let fresh = rounds.fresh
        let worthTesting = Self.worthTesting(rounds.findings).filter(fresh.contains)
        work.enter(.triggers, passes: costs.triggers(worthTesting.count))
        let distinct = worthTesting.map { rounds.findings[$0] }
        let (triggers, imageSearch) = (searches.triggers, searches.images)
        let tested = try classPool.map(distinct.count) { place in
            var finding = distinct[place]
            try triggers.examineSides(&finding)
            try imageSearch?.confirm(&finding)
            return finding
        }
        for (index, finding) in zip(worthTesting, tested) { rounds.findings[index] = finding }
        compareCauses(&rounds.findings, fresh)
        if isSmall { try compareEffects(&rounds.findings, fresh, triggers, work) }
        try imageSearch?.compareBundles(&rounds.findings, fresh)
        for index in fresh {
            rounds.findings[index].judgeByPerturbations()
            rounds.findings[index].dropIfImplausible(in: images, searches.labelled)
        }
        try searchFurther(&rounds.findings, &searches, work)
    }

    /// Flags what a round found, and sets it aside.
    private func setAside(
        _ rounds: inout DetectionRounds, _ outcome: inout Outcome, _ labelled: LabelledSamples,
        renewsAll: Bool
    ) throws {
        let flagged = try flag(rounds.found.map { rounds.findings[$0] }, &outcome, labelled)
        rounds.setAside(
            Dictionary(grouping: flagged) { images.labels[$0] }, renewsAll: renewsAll, judge: judge)
    }

    /// Flags what was planted into classes, as far as their findings tell, and what carries the same triggers.
    /// - Returns: samples that were not flagged before.
    private func flag(
        _ findings: [ClassFinding], _ outcome: inout Outcome, _ labelled: LabelledSamples
    ) throws -> [Int] {
        let known = outcome.flagged
        func flaggedNow() -> [Int] { images.labels.indices.filter { outcome.flagged[$0] && !known[$0] } }
        for finding in findings { outcome.flag(finding, in: images) }
        for match in try TriggerTemplate.matches(
            targets: findings.filter(\.isTarget).map(\.label), flagged: Set(flaggedNow()), images: images,
            labelled: labelled, table: table, parameters: judge.parameters)
        {
            outcome.flag(match.sample, score: match.score)
        }
        return flaggedNow()
    }

    /// Classes at once: each takes a few hundred megabytes where classes are large, and looks at one batch at a time.
    var classPool: WorkerPool {
        WorkerPool(
            threads: threads, token: token,
            most: min(Self.classesAtOnce, images.batches.atOnce(ofSize: images.batches.together(atMost: 256)))
        )
    }

    private static let classesAtOnce = 4
}
