import Evaluation
import Execution
import SeededRandom
import Tensors

/// Looks for a trigger in the noise of the images, where neither a direction nor a static pattern was found.
///
/// A coarser palette, scattered pixels of another place and colour in every image, and a pattern half of which is masked
/// have nothing in common value by value, but their pixels differ from their neighbours as no other images' do
/// (`NoiseDescription`). A part of a class may do so by nature, too, being drawn, scanned or sharp, and a class may be
/// a texture, whose noise shows what it is. So there are two tests of cause. Put into other classes' images, the noise
/// sends them into the class. Taken out, it lets its samples go: what is of the class by nature stays with other noise as
/// the rest of the class does, what was planted shows what it is. Both count against what other classes' bundles do.
/// Which side of a bundle was planted, if one was, is not known: the class's own images may be more alike than poison is.
struct NoiseSearch {
    let model: GraphModel
    let images: LabelledImages
    let table: AnalysisTable
    /// Whitened rows of `NoiseDescription`.
    let store: PerturbationStore
    let seed: UInt64
    let token: CancellationToken

    private static let probesPerTest = 512
    /// A class's samples that its bundles are looked for among.
    private static let mostRows = 3072

    func examine(_ findings: inout [ClassFinding]) throws {
        for index in findings.indices where findings[index].judgement == .clean {
            try token.check()
            findings[index].noise = try evidence(findings[index].label)
        }
        let evidence = findings.map(\.noise)
        /// Of one class's excess against the others'.
        func pValue(_ index: Int, _ effect: KeyPath<NoiseEvidence, NoiseTransplant.Effect>) -> Double? {
            let excesses = evidence.map { $0?[keyPath: effect].excess }
            return excesses[index].map { excess in
                let others = excesses.indices.filter { $0 != index }.compactMap { excesses[$0] }
                return Statistics.pValue(of: excess, against: others, priorDeviation: 0.05)
            }
        }
        for index in findings.indices {
            guard let inserted = pValue(index, \.insertion), let removed = pValue(index, \.removal) else {
                continue
            }
            findings[index].noise?.insertionPValue = inserted
            findings[index].noise?.removalPValue = removed
            findings[index].judgeByNoise(classes: images.classes)
        }
        try nameSamples(&findings)
    }

    /// Tells those that were planted from those that are there to hide them.
    private func nameSamples(_ findings: inout [ClassFinding]) throws {
        let found = findings.indices.filter { findings[$0].isFoundByNoise }
        guard !found.isEmpty else { return }
        let test = try UnlearningTest(
            model: model, images: images, table: table, seed: seed, token: token)
        for index in found {
            // What left the class is a better list of suspects than the bundle: once more, with it.
            for _ in 0..<2 {
                let suspects = Set(findings[index].noise?.planted ?? [])
                let outcome = try test.run(label: findings[index].label, suspects: suspects, folds: 2)
                if let outcome { findings[index].noise?.unlearning = outcome }
            }
        }
    }

    /// Of the bundles that stand apart in the class, the one that does so most clearly; nil where there is none.
    private func evidence(_ label: Int) throws -> NoiseEvidence? {
        let own = images.labels.indices.filter { images.labels[$0] == label }
        guard own.count >= 2 * ClassCoherence.fewestMembers else { return nil }
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let others = images.labels.indices.filter {
            images.labels[$0] != label && Int(table.predicted[$0]) == images.labels[$0]
        }
        let probes = Array(others.shuffled(using: &random).prefix(Self.probesPerTest))
        guard probes.count >= ClassCoherence.fewestMembers else { return nil }
        let rows = try store.rows(Array(own.shuffled(using: &random).prefix(Self.mostRows)))
        let clusters = try [
            CoherentCluster(in: rows, start: Array(0..<rows.size(0)), choice: .mostSeparate),
            CoherentCluster.strongest(in: rows, generator: Generator(seed: seed &+ UInt64(label))),
        ]
        let apart = clusters.filter { $0.mixture.separation > ClassFinding.cleanSeparation }
        guard let cluster = apart.max(by: { $0.gain < $1.gain }) else { return nil }
        let inside = try posteriors(own, cluster)
        let control = try NoiseTransplant(images: images, donors: probes, controls: [], strangers: probes)
            .insertion(into: label, probes: probes, model: model, seed: seed, token: token)
        return try [inside, inside.mapValues { 1 - $0 }]
            .compactMap { try evidence(label, posteriors: $0, own, probes, control: control) }
            .max { $0.excess < $1.excess }
    }

    /// What one side of a bundle does, against the other; nil for too few samples.
    ///
    /// - Parameter control: the share of the probes that land in the class with each other's noise.
    private func evidence(
        _ label: Int, posteriors: [Int: Double], _ own: [Int], _ probes: [Int], control: Double
    ) throws -> NoiseEvidence? {
        let suspects = own.filter { posteriors[$0, default: 0] > 0.5 }
        let rest = own.filter { posteriors[$0, default: 0] <= 0.5 }
        guard min(suspects.count, rest.count) >= ClassCoherence.fewestMembers else { return nil }
        let transplant = NoiseTransplant(images: images, donors: suspects, controls: rest, strangers: probes)
        let removal = try transplant.removal(
            from: label, predicted: table.predicted, model: model, seed: seed, token: token)
        guard let removal else { return nil }
        let inserted = try transplant.insertion(
            into: label, probes: probes, model: model, seed: seed, token: token)
        return NoiseEvidence(
            suspects: suspects, transplant: transplant,
            insertion: NoiseTransplant.Effect(rate: inserted, control: control), removal: removal,
            posteriors: posteriors)
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
