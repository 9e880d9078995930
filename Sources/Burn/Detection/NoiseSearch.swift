import Evaluation
import Execution
import SeededRandom
import Tensors

/// Looks for a trigger in the noise of the images, where neither a direction nor a static pattern was found.
///
/// A coarser palette, scattered pixels of another place and colour in every image, and a pattern half of which is masked
/// have nothing in common value by value, but their pixels differ from their neighbours as no other images' do
/// (`NoiseDescription`). Half of a class may do so by nature, too, being drawn, scanned or sharp: the test of cause is
/// whether the noise sends other classes' images into this one, beyond the noise of the class's other images and beyond
/// what other classes' bundles do.
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
        let excesses = findings.map { $0.noise?.effect.excess }
        for index in findings.indices {
            guard let excess = excesses[index] else { continue }
            let others = excesses.indices.filter { $0 != index }.compactMap { excesses[$0] }
            findings[index].noise?.pValue = Statistics.pValue(
                of: excess, against: others, priorDeviation: 0.05)
            findings[index].judgeByNoise(classes: images.classes)
        }
        let found = findings.indices.filter { findings[$0].isFoundByNoise }
        guard !found.isEmpty else { return }
        let teacher = try model.probabilities(images, Array(0..<images.count), token: token)
        let test = UnlearningTest(
            model: model, images: images, table: table, teacher: teacher, seed: seed, token: token)
        for index in found {
            guard var evidence = findings[index].noise else { continue }
            evidence.unlearning = try test.run(
                label: findings[index].label, suspects: Set(evidence.suspects), folds: 2)
            findings[index].isCleanLabel = evidence.mostStay
            findings[index].noise = evidence
        }
    }

    /// Of the bundles that stand apart in the class, the one whose noise does more; nil where there is none.
    private func evidence(_ label: Int) throws -> NoiseEvidence? {
        let own = images.labels.indices.filter { images.labels[$0] == label }
        guard own.count >= 2 * ClassCoherence.fewestMembers else { return nil }
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let probes = images.labels.indices.filter {
            images.labels[$0] != label && Int(table.predicted[$0]) == images.labels[$0]
        }.shuffled(using: &random).prefix(Self.probesPerTest)
        guard probes.count >= ClassCoherence.fewestMembers else { return nil }
        let rows = try store.rows(Array(own.shuffled(using: &random).prefix(Self.mostRows)))
        let clusters = try [
            CoherentCluster(in: rows, start: Array(0..<rows.size(0)), choice: .mostSeparate),
            CoherentCluster.strongest(in: rows, generator: Generator(seed: seed &+ UInt64(label))),
        ]
        let found = try clusters.compactMap { cluster -> NoiseEvidence? in
            guard cluster.mixture.separation > ClassFinding.cleanSeparation else { return nil }
            let posteriors = try posteriors(own, cluster)
            let suspects = own.filter { posteriors[$0, default: 0] > 0.5 }
            let rest = own.filter { posteriors[$0, default: 0] <= 0.5 }
            guard min(suspects.count, rest.count) >= ClassCoherence.fewestMembers else { return nil }
            let transplant = NoiseTransplant(images: images, donors: suspects, controls: rest)
            let effect = try transplant.effect(
                into: label, probes: Array(probes), model: model, seed: seed, token: token)
            return NoiseEvidence(
                suspects: suspects, transplant: transplant, effect: effect, posteriors: posteriors)
        }
        return found.max { $0.effect.excess < $1.effect.excess }
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
