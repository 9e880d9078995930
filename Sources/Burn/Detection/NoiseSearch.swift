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
    /// Other classes that the unlearning test is run on, for its null.
    private static let nullClasses = 3
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
            findings[index].noise?.effectPValue = Statistics.pValue(
                of: excess, against: others, priorDeviation: 0.05)
        }
        try unlearn(&findings)
        for index in findings.indices { findings[index].judgeByNoise(classes: images.classes) }
    }

    /// Runs the unlearning test on the classes whose noise works, and for its null on those whose noise does least.
    private func unlearn(_ findings: inout [ClassFinding]) throws {
        let ordered = findings.indices.filter { findings[$0].noise != nil }
            .sorted { effect(findings[$0]) > effect(findings[$1]) }
        let candidates = ordered.filter { findings[$0].noise?.isWorthTesting ?? false }
        guard !candidates.isEmpty else { return }
        let teacher = try model.probabilities(images, Array(0..<images.count), token: token)
        let test = UnlearningTest(
            model: model, images: images, table: table, teacher: teacher, seed: seed, token: token)
        func outcome(_ index: Int, folds: Int) throws -> UnlearningTest.Outcome? {
            try test.run(
                label: findings[index].label, suspects: Set(findings[index].noise?.suspects ?? []),
                folds: folds)
        }
        let null = try ordered.suffix(Self.nullClasses).filter { !candidates.contains($0) }
            .compactMap { try outcome($0, folds: 1)?.score }
        for index in candidates {
            guard let found = try outcome(index, folds: 2) else { continue }
            findings[index].noise?.unlearning = found
            guard null.count > 1 else { continue }
            findings[index].noise?.unlearningPValue = Statistics.pValue(
                of: found.score, against: null, priorDeviation: 0.1)
        }
    }

    private func effect(_ finding: ClassFinding) -> Double { finding.noise?.effect.excess ?? 0 }

    /// Of the bundles that stand apart in the class, the one that does so most clearly; nil where there is none.
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
        let apart = clusters.filter { $0.mixture.separation > ClassFinding.cleanSeparation }
        guard let cluster = apart.max(by: { $0.gain < $1.gain }) else { return nil }
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
