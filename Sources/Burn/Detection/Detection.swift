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
    let labelled: LabelledSamples
    let costs: DetectionCosts
    /// Samples of classes under suspicion that are descended from at first.
    var analysedOfSuspects = DetectionCosts.analysedOfSuspects

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
        labelled = LabelledSamples(images.labels, classes: images.classes)
        costs = DetectionCosts(
            samples: images.count, surveyed: table.surveyed, classes: images.classes, isExact: store.isExact)
    }

    package struct Outcome: Sendable {
        package var findings: [ClassFinding]
        package var flagged: [Bool]
        /// Evidence that the sample is poisoned, 0 to 1.
        package var scores: [Double]
        /// Cosine of the sample's perturbation to its predicted class's direction.
        package var coherence: [Double]
        package var verdict: Verdict
        package var costs: [StageCost] = []

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

    private func run(
        _ work: DetectionWork, _ foreseen: (PreliminaryVerdict) throws -> Void
    ) throws -> Outcome {
        let members = Dictionary(grouping: (0..<images.count).filter(table.isSurveyed)) {
            Int(table.predicted[$0])
        }.filter { $0.value.count >= ClassCoherence.fewestForBundle }
        var findings = try coherences(members, work)
        let null = try CoherenceNull(
            members: members, coherences: findings.compactMap(\.coherence), store: store,
            parameters: judge.parameters, seed: options.methodSeed, token: token)
        for index in findings.indices {
            findings[index].coherencePValue =
                findings[index].coherence.flatMap {
                    null.pValue(of: $0.strength, label: findings[index].label)
                } ?? 1
        }
        let search = TriggerSearch(
            model: model, images: images, table: table, store: store, judge: judge,
            seed: options.methodSeed, token: token)
        let imageSearch = try imageSearch(search)
        let worthTesting = Self.worthTesting(findings)
        work.enter(.triggers, passes: costs.triggers(worthTesting.count))
        let distinct = worthTesting.map { findings[$0] }
        let tested = try classPool.map(distinct.count) { place in
            var finding = distinct[place]
            try search.examineSides(&finding)
            try imageSearch?.confirm(&finding)
            return finding
        }
        for (index, finding) in zip(worthTesting, tested) { findings[index] = finding }
        compareCauses(&findings)
        if null.isSmall { try compareEffects(&findings, search, work) }
        try imageSearch?.compareBundles(&findings)
        for index in findings.indices { findings[index].judgeByPerturbations() }
        try searchFurther(&findings, imageSearch, work)
        // What follows looks for further targets, and tells the samples.
        let known = findings.filter { $0.judgement == .backdoored }.map(\.label)
        if !known.isEmpty {
            try foreseen(
                PreliminaryVerdict(targetClasses: known, names: known.map { images.classNames[$0] }))
        }
        try imageSearch?.examineFurtherTargets(&findings)
        try completeSuspects(&findings, work)
        try search.examineShared(&findings)
        try analyseSuspects(&findings, search, work)
        var outcome = Outcome(
            findings: findings, flagged: Array(repeating: false, count: images.count),
            scores: Array(repeating: 0, count: images.count),
            coherence: Array(repeating: 0, count: images.count),
            verdict: VerdictBuilder.empty)
        for finding in findings { outcome.flag(finding, in: images) }
        for match in try TriggerTemplate.matches(
            targets: findings.filter(\.isTarget).map(\.label), flagged: outcome.flagged, images: images,
            table: table, parameters: judge.parameters)
        {
            outcome.flag(match.sample, score: match.score)
        }
        try readLabels(&outcome, search)
        try measurePower(&outcome.findings, members, null)
        try analyseOthers()
        outcome.verdict = VerdictBuilder(
            images: images, table: boundary.table, findings: outcome.findings, flagged: outcome.flagged,
            nullShare: null.share, searchesImages: imageSearch != nil,
            parameters: judge.parameters
        ).verdict()
        outcome.costs = work.finish()
        return outcome
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
            outcome.findings[index].isCleanLabel = evidence.reading(judge.parameters) == .right
        }
    }

    /// Asks of the classes above suspicion what could have been found in them.
    private func measurePower(
        _ findings: inout [ClassFinding], _ members: [Int: [Int]], _ null: CoherenceNull
    ) throws {
        let power = DetectionPower(
            members: members, store: store, null: null, judge: judge, seed: options.methodSeed,
            token: token)
        let sizes = Dictionary(grouping: table.predicted) { Int($0) }.mapValues(\.count)
        let measured = try power.measure(
            findings.filter { $0.judgement == .clean }.map(\.label), sizes: sizes)
        for index in findings.indices {
            findings[index].noticed = measured[findings[index].label]
            findings[index].isInData = labelled.count(of: findings[index].label) > 0
            findings[index].isSearchedFurther =
                images.count >= ImageWhitening.fewestImages
                && (members[findings[index].label]?.count ?? 0) >= 2 * ClassCoherence.fewestMembers
        }
    }

    private func coherences(_ members: [Int: [Int]], _ work: DetectionWork) throws -> [ClassFinding] {
        let coherences = try classPool.map(images.classes) { label in
            defer { work.add(costs.bundles / Double(images.classes)) }
            return try members[label].map { samples in
                try ClassCoherence(
                    members: samples, store: store, parameters: judge.parameters,
                    seed: options.methodSeed &+ UInt64(label))
            }
        }
        return coherences.enumerated().map { label, coherence in
            var finding = ClassFinding(label: label, judge: judge)
            finding.coherence = coherence
            return finding
        }
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
