import Execution
import Support
import Tensors

/// The bundle of a class's style, and what it does where it is put in and taken out.
extension StyleSearch {
    static let probesPerTest = 256
    /// Where these show that an effect that counts is hardly possible, the others are not asked.
    static let probesOfScreen = 64
    /// Standard errors that leave one in a hundred beyond them.
    private static let mostErrors = 2.33
    /// A class's samples that its bundles are looked for among.
    private static let mostRows = 3072

    /// Of the bundles that stand apart in the class, the one that does so most clearly; nil where there is none.
    func bundle(_ label: Int) throws -> CoherentCluster? {
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
    func evidence(_ label: Int, _ bundle: CoherentCluster, _ trusted: [Int]) throws -> StyleEvidence? {
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
                control: try control(some), tested: some.count, controls: some.count)
        }
        let first = Array(probes.prefix(Self.probesOfScreen))
        var evidence = try StyleEvidence(
            style: style, suspects: suspects, transplant: transplant, insertion: insertion(first),
            posteriors: posteriors)
        let most = evidence.insertion.excess + Self.mostErrors * evidence.insertion.standardError
        guard most >= style.leastEffect(judge.parameters) else { return evidence }
        if first.count < probes.count { evidence.insertion = try insertion(probes) }
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
