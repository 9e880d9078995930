import Execution
import Findings
import Support
import Tensors

/// Looks for a static pattern in the images themselves, from starts that the model's behaviour suggests.
///
/// The analysis of the model points at suspects; the whitened images say which samples really share a pattern
/// (`ImageBundle`); the model says again whether that pattern works as a trigger. So a backdoor is found that the
/// model has learned weakly, or into every class, and samples are named that the model failed to learn.
struct ImageSearch: Sendable {
    let images: LabelledImages
    var labelled: LabelledSamples
    let table: AnalysisTable
    let store: PerturbationStore
    var triggers: TriggerSearch
    let judge: Judge
    let seed: UInt64
    /// For classes.
    let pool: WorkerPool
    let token: CancellationToken

    /// The bundle behind a class's own cluster: it must hold most of the cluster. Not worth looking for where the trigger hardly moves
    /// any class's images.
    func confirm(_ finding: inout ClassFinding) throws {
        guard let coherence = finding.coherence,
            let effect = finding.effect,
            max(effect.excess, effect.topSourceExcess) >= judge.parameters.weakEffect
        else { return }
        let label = finding.label
        let planted = coherence.cluster.filter { images.labels[$0] == label }
        guard let bundle = try growth(planted, label)?.bundle(of: images.count, in: store) else { return }
        let held = planted.count { bundle.posteriors[$0] > 0.5 }
        guard 2 * held > planted.count else { return }
        finding.images = bundle
    }

    /// Compares the bundles behind clusters with those behind the other classes' where a judgement rests on that: what grows from random
    /// samples of a class is less alike than what its images have in common by nature.
    ///
    /// - Parameter fresh: classes whose clusters are judged.
    func compareBundles(_ findings: inout [ClassFinding], _ fresh: [Int]) throws {
        let asked = fresh.filter { findings[$0].needsComparedBundle }
        guard !asked.isEmpty else { return }
        // What is chosen for being unusual is no null.
        let others = findings.indices.filter {
            !asked.contains($0) && !findings[$0].isDecidedByPerturbations && labelled.count(of: $0) > 0
        }
        let step = max(1, others.count / Judge.mostTested)
        var gains = [PatternGain?](repeating: nil, count: findings.count)
        for index in asked + stride(from: 0, to: others.count, by: step).map({ others[$0] }) {
            let label = findings[index].label
            let planted = findings[index].coherence?.cluster.filter { images.labels[$0] == label } ?? []
            let start = planted.count < judge.smallestGroup ? labelled[label] : planted
            gains[index] = try growth(start, label).map {
                PatternGain(gain: $0.gain, classSize: labelled.count(of: label))
            }
        }
        for index in asked {
            let compared = gains.indices.map { $0 == index || !asked.contains($0) ? gains[$0] : nil }
            findings[index].bundlePValue = BundleComparison(compared).pValue(index)
        }
    }

    /// One pattern in images of all classes, that sends each class somewhere else. Starts: the modes of all classes'
    /// penultimate changes together, the samples whose label is not what the model sees, and a pattern of one class that
    /// works there.
    func examineAllClasses(_ findings: inout [ClassFinding]) throws {
        let features = findings.compactMap { $0.features?.coherence }
        let contradicted = labelled.all.filter { Int(table.predicted[$0]) != images.labels[$0] }
        let starts = [
            features.flatMap(\.cluster),
            features.flatMap(\.remainder),
            contradicted,
        ].map { $0.filter(labelled.contains) }
        let patterns = try patterns(of: findings)
        let common = try grown(starts).max { $0.gain < $1.gain }
        guard let mapped = try firstIntoMost(patterns.distinct) ?? common.flatMap(map) else { return }
        try judge(&findings, by: mapped, looks: patterns.grown + starts.count)
    }

    /// Where a pattern that is known to send other classes' images into one class sends that one's: a backdoor into every
    /// class may show itself in a few.
    func examineFurtherTargets(_ findings: inout [ClassFinding]) throws {
        let known = findings.filter { $0.judgement == .backdoored }
        guard known.count < images.classes else { return }
        let patterns = try patterns(of: known)
        guard let mapped = try firstIntoMost(patterns.distinct) else { return }
        try judge(&findings, by: mapped, looks: patterns.grown)
    }

    /// - Parameter looks: the patterns that were looked at, of which this is one.
    private func judge(_ findings: inout [ClassFinding], by mapped: Mapped, looks: Int) throws {
        let (bundle, trigger, map) = mapped
        let byChance = min(1, bundle.pValue * Double(looks))
        let wayBack =
            try map.isWorking ? WayBack.measure(of: trigger, on: bundle, map: map, search: triggers) : nil
        let common = CommonPattern(
            pValue: wayBack.map { Statistics.combined(byChance, $0.pValue) } ?? byChance, wayBack: wayBack)
        let judgement = try map.judgement(
            pValue: common.pValue,
            persists: map.isContradicted && isContradictedWithout(trigger, bundle), judge)
        // One backdoor into most classes explains each of them better than what was found there alone.
        let explainsAll = judgement == .backdoored && map.isIntoMost
        for index in findings.indices { findings[index].common = common }
        for index in findings.indices where explainsAll || findings[index].judgement != .backdoored {
            guard let effect = map.effects[findings[index].label] else { continue }
            findings[index].adopt(bundle, trigger, effect, judgement, common)
        }
    }

    /// Whether carriers show another class than their label once the pattern is taken out of them, and more often than other
    /// samples with these labels do. Where they don't, the pattern disturbs the model, as a date stamp does, and what is
    /// below it has its true label.
    private func isContradictedWithout(_ trigger: TriggerEstimate, _ bundle: ImageBundle) throws -> Bool {
        var random = SplitMix64(seed: seed)
        let carriers = Array(
            bundle.members.shuffled(using: &random).prefix(TriggerSearch.mostForRemoval))
        let isCarrier = Set(bundle.members)
        var others = Dictionary(
            grouping: labelled.all.filter { !isCarrier.contains($0) }.shuffled(using: &random)
        ) { images.labels[$0] }
        // As many of each label, as far as there are.
        let beside = carriers.compactMap { others[images.labels[$0]]?.popLast() }
        func wrong(_ samples: [Int]) throws -> Int {
            zip(samples, try triggers.predictions(samples, without: trigger)).count {
                images.labels[$0] != $1
            }
        }
        guard beside.count >= judge.smallestGroup else { return true }
        let effect = ControlledEffect(
            rate: Double(try wrong(carriers)) / Double(carriers.count),
            control: Double(try wrong(beside)) / Double(beside.count), tested: carriers.count,
            controls: beside.count)
        return effect.rate > judge.parameters.mostlyContradicted
            && effect.excess >= judge.parameters.workingEffect
            && effect.samplingPValue < judge.certainOfAll
    }

    /// Patterns behind classes that move images of another one there, in images of all classes; and how many had grown.
    private func patterns(of findings: [ClassFinding]) throws -> (distinct: [ImageBundle], grown: Int) {
        let working = findings.filter { workingBundle($0) != nil }
            .sorted { ($0.images?.gain ?? 0) > ($1.images?.gain ?? 0) }.prefix(Self.startsOfAll)
            .sorted { $0.label < $1.label }
        let bundles = try grown(working.compactMap(workingBundle))
        return (Self.distinct(bundles, most: Self.bundlesOfAll), bundles.count)
    }

    /// A pattern of one class that moves most: what a class's images have in common by nature moves some other classes'
    /// images too, but not into most classes.
    private func firstIntoMost(_ patterns: [ImageBundle]) throws -> Mapped? {
        for pattern in patterns {
            if let mapped = try map(of: pattern), mapped.map.isIntoMost { return mapped }
        }
        return nil
    }

    /// Grown among all images.
    private func grown(_ starts: [[Int]]) throws -> [ImageBundle] {
        try starts.compactMap { start in
            try token.check()
            return try ImageBundle.grown(
                from: start, among: labelled.all, of: images.count, store: store,
                parameters: judge.parameters, seed: seed)
        }
    }

    private typealias Mapped = (bundle: ImageBundle, trigger: TriggerEstimate, map: LabelMap)

    /// Where the bundle's pattern sends the images of every class; nil where there are too few without it.
    private func map(of bundle: ImageBundle) throws -> Mapped? {
        try triggers.shared(by: bundle.members).map { trigger, responses in
            (
                bundle, trigger,
                LabelMap(
                    responses: responses, bundle: bundle, images: images, labelled: labelled, table: table,
                    parameters: judge.parameters)
            )
        }
    }

    /// Samples of the pattern behind a class, if it moves images of another one there.
    private func workingBundle(_ finding: ClassFinding) -> [Int]? {
        guard let effect = finding.effect, effect.topSourceExcess >= judge.parameters.workingEffect else {
            return nil
        }
        return finding.images?.members.filter(labelled.contains)
    }

    /// Bundles that have no more than a third of their samples in common, clearest first, and only so many.
    static func distinct(_ bundles: [ImageBundle], most: Int) -> [ImageBundle] {
        var distinct: [ImageBundle] = []
        for bundle in bundles.sorted(by: { $0.gain > $1.gain }) where distinct.count < most {
            let members = Set(bundle.members)
            let isNew = distinct.allSatisfy { known in
                3 * members.intersection(known.members).count < min(members.count, known.members.count)
            }
            if isNew { distinct.append(bundle) }
        }
        return distinct
    }

    private static let bundlesOfAll = 4
    /// Patterns of classes that are grown among all images to find these.
    private static let startsOfAll = 12
}
