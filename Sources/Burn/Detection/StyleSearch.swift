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
                    tested: min(found.insertion.tested, found.smallerSide)) ?? 1
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
}
