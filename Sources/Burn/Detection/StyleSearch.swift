import Execution
import Support
import Tensors

/// Looks for a trigger in the style of the images, where neither a direction nor a static pattern was found.
///
/// A coarser palette, scattered pixels of another place and colour in every image, a pattern half of which is masked, or
/// a photo filter have nothing in common value by value, but the images differ from all others in their noise
/// (`NoiseDescription`) or tones (`ToneDescription`). A part of a class may do so by nature, too, being drawn, scanned or
/// dark, and a class may be a texture, whose noise shows what it is. So there are two tests of cause. Put into other
/// classes' images, the style sends them into the class. Taken out, it lets its samples go: what is of the class by nature
/// stays with another style as the rest of the class does, what was planted shows what it is. The weaker of the two counts against what
/// other classes' bundles do. Which side of a bundle was planted, if one was, is not known: the class's own images may be
/// more alike than poison is.
struct StyleSearch: Sendable {
    let style: ImageStyle
    let model: GraphModel
    let images: LabelledImages
    var labelled: LabelledSamples
    let table: AnalysisTable
    let boundary: BoundaryAnalysis
    /// Whitened rows of the style's description.
    let store: PerturbationStore
    let judge: Judge
    let seed: UInt64
    /// For classes.
    let pool: WorkerPool
    let token: CancellationToken

    static let probesPerTest = 256
    /// Where these show that an effect that counts is hardly possible, the others are not asked.
    static let probesOfScreen = 64
    /// Standard errors that leave one in a hundred beyond them.
    private static let mostErrors = 2.33
    /// A class's samples that its bundles are looked for among.
    private static let mostRows = 3072

    func examine(_ findings: inout [ClassFinding]) throws {
        let known = findings
        // Of a class that was looked at before, it is known.
        let asked = Set(
            known.indices.filter { index in
                known[index].judgement == .clean && !known[index].stylesSeen.contains(style)
            })
        let bundles = try pool.map(known.count) {
            asked.contains($0) ? try bundle(known[$0].label) : nil
        }
        let gains = zip(findings, bundles).map { finding, bundle in
            bundle.map { PatternGain(gain: $0.gain, classSize: labelled.count(of: finding.label)) }
        }
        let trusted = labelled.all.filter { Int(table.predicted[$0]) == images.labels[$0] }
        var evidence = known.map { finding in finding.styleTests.first { $0.style == style } }
        let chosen = BundleComparison(gains).clearest(most: Judge.mostTested)
        for index in Set(gains.indices.filter { gains[$0] != nil }).subtracting(chosen) {
            findings[index].isPassedOver = true
        }
        let tested = try pool.map(chosen.count) { place in
            try bundles[chosen[place]].flatMap { try self.evidence(known[chosen[place]].label, $0, trusted) }
        }
        for (index, found) in zip(chosen, tested) { evidence[index] = found }
        for index in asked { findings[index].stylesSeen.insert(style) }
        // Those that were looked at before are judged anew: what was set aside since is no part of what they are compared with.
        for index in findings.indices where findings[index].judgement == .clean {
            guard var found = evidence[index] else { continue }
            found.effectPValue =
                ControlledEffect.pValue(
                    at: index, amongBothWays: evidence.map { $0?.excess }, natural: style.naturalSpread,
                    tested: min(Self.probesPerTest, found.smallerSide)) ?? 1
            findings[index].styleTests.removeAll { $0.style == style }
            findings[index].styleTests.append(found)
            // Of the styles that were looked at, what the stronger one shows is kept.
            let known = findings[index].style.flatMap { $0.style == style ? nil : $0 }
            guard known.map({ found.isStronger(than: $0, judge.parameters) }) ?? true else { continue }
            findings[index].style = found
            findings[index].judgeByStyle()
        }
        try nameSamples(&findings, beside: evidence)
    }

    /// Tells those that were planted from those that are there to hide them.
    private func nameSamples(_ findings: inout [ClassFinding], beside evidence: [StyleEvidence?]) throws {
        let found = findings.indices.filter {
            findings[$0].isFoundByStyle && findings[$0].style?.style == style
        }
        guard !found.isEmpty else { return }
        let test = try UnlearningTest(
            model: model, images: images, labelled: labelled, boundary: boundary, seed: seed, token: token)
        var null: [Double]?
        for index in found {
            for round in 0..<2 {
                // What left the class is a better list of suspects than the bundle: once more, with it.
                let suspects = Set(findings[index].style?.planted ?? [])
                let outcome = try test.run(
                    label: findings[index].label, suspects: suspects, folds: 2,
                    batch: round == 0 ? UnlearningTest.batch : UnlearningTest.batchForNames)
                if let outcome { findings[index].style?.unlearning = outcome }
                if round == 0, findings[index].judgement == .suspicious || style.showsContent {
                    null = try null ?? scores(of: evidence, without: found, test)
                    findings[index].style?.unlearned = outcome.map {
                        (
                            $0.score,
                            UnlearningTest.pValue(of: $0.score, against: null ?? [], suspects: suspects.count)
                        )
                    }
                    findings[index].judgeByUnlearnedStyle()
                }
                guard outcome != nil, findings[index].isFoundByStyle else { break }
            }
            guard findings[index].isFoundByStyle, let evidence = findings[index].style,
                !evidence.planted.isEmpty
            else { continue }
            findings[index].style?.transplant = try evidence.transplant.taking(from: evidence.planted)
        }
    }

    /// How well the bundles of classes above suspicion are unlearned, of those that their style moves most.
    private func scores(
        of evidence: [StyleEvidence?], without found: [Int], _ test: UnlearningTest
    ) throws -> [Double] {
        let others = evidence.indices.filter { !found.contains($0) }
            .compactMap { label in evidence[label].map { (label, $0) } }
            .sorted { $0.1.excess > $1.1.excess }
        var scores: [Double] = []
        for (label, evidence) in others where scores.count < UnlearningTest.nullClasses {
            if let outcome = try test.run(label: label, suspects: Set(evidence.suspects), folds: 1) {
                scores.append(outcome.score)
            }
        }
        return scores
    }

    /// Of the bundles that stand apart in the class, the one that does so most clearly; nil where there is none.
    private func bundle(_ label: Int) throws -> CoherentCluster? {
        try token.check()
        let own = labelled[label]
        guard own.count >= 2 * ClassCoherence.fewestMembers else { return nil }
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let rows = try store.rows(Array(own.shuffled(using: &random).prefix(Self.mostRows)))
        let clusters = try [
            CoherentCluster(in: UnitRows(rows), start: Array(0..<rows.size(0)), choice: .mostSeparate),
            CoherentCluster.strongest(
                in: rows, judge.parameters, generator: Generator(seed: seed &+ UInt64(label))),
        ]
        return clusters.filter { $0.mixture.separation > judge.parameters.modeSeparation }
            .max { $0.gain < $1.gain }
    }

    /// What the bundle does, or what is beside it; nil for too few samples.
    private func evidence(_ label: Int, _ bundle: CoherentCluster, _ trusted: [Int]) throws -> StyleEvidence?
    {
        let own = labelled[label]
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let probes = Array(
            trusted.filter { images.labels[$0] != label }.shuffled(using: &random).prefix(Self.probesPerTest))
        guard probes.count >= ClassCoherence.fewestMembers else { return nil }
        let inside = try posteriors(own, bundle)
        let strangers = try style.transplant(images, donors: probes, controls: own, strangers: probes)
        var controls: [Int: Double] = [:]
        func control(_ some: [Int]) throws -> Double {
            let share =
                try controls[some.count]
                ?? strangers.insertion(
                    into: label, probes: some, model: model, seed: seed, token: token)
            controls[some.count] = share
            return share
        }
        return try [inside, inside.mapValues { 1 - $0 }]
            .compactMap { try evidence(label, posteriors: $0, own, probes, control: control) }
            .max { $0.excess < $1.excess }
    }

    /// What one side of a bundle does, against the other; nil for too few samples.
    ///
    /// - Parameter control: the share of the first probes or of all that land in the class with each other's style.
    private func evidence(
        _ label: Int, posteriors: [Int: Double], _ own: [Int], _ probes: [Int],
        control: ([Int]) throws -> Double
    ) throws -> StyleEvidence? {
        let suspects = own.filter { posteriors[$0, default: 0] > 0.5 }
        let rest = own.filter { posteriors[$0, default: 0] <= 0.5 }
        guard min(suspects.count, rest.count) >= ClassCoherence.fewestMembers,
            Double(suspects.count) < judge.parameters.mostPlanted * Double(own.count)
        else { return nil }
        let transplant = try style.transplant(images, donors: suspects, controls: rest, strangers: probes)
        func insertion(_ some: [Int]) throws -> ControlledEffect {
            ControlledEffect(
                rate: try transplant.insertion(
                    into: label, probes: some, model: model, seed: seed, token: token),
                control: try control(some))
        }
        let first = Array(probes.prefix(Self.probesOfScreen))
        var evidence = try StyleEvidence(
            style: style, suspects: suspects, transplant: transplant, insertion: insertion(first),
            posteriors: posteriors)
        let most =
            evidence.insertion.excess + Self.mostErrors * evidence.insertion.standardError(of: first.count)
        guard most >= style.leastEffect(judge.parameters) else { return evidence }
        evidence.insertion = try insertion(probes)
        // The weaker effect counts: where this one is none, the other one need not be known.
        if evidence.insertion.excess >= style.leastEffect(judge.parameters) / 2 {
            evidence.removal = try transplant.removal(
                from: label, predicted: table.predicted, model: model, seed: seed, token: token)
            guard evidence.removal != nil else { return nil }
        }
        return evidence
    }

    /// Probabilities of belonging to the cluster, by sample.
    private func posteriors(_ samples: [Int], _ cluster: CoherentCluster) throws -> [Int: Double] {
        var posteriors: [Int: Double] = [:]
        for start in stride(from: 0, to: samples.count, by: Self.mostRows) {
            let part = Array(samples[start..<min(start + Self.mostRows, samples.count)])
            let cosines: [Float] = try store.rows(part).matmul(cluster.direction).array()
            for (sample, cosine) in zip(part, cosines) {
                posteriors[sample] = cluster.mixture.posterior(Double(cosine))
            }
        }
        return posteriors
    }
}
