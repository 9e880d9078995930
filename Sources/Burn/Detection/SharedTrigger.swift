import Support
import Tensors

/// Follows the triggers of some classes into the others: a trigger that sends each class somewhere else may show itself in a
/// few of them.
extension TriggerSearch {
    func examineShared(_ findings: inout [ClassFinding]) throws {
        let known = findings.filter {
            $0.judgement == .backdoored && $0.isSourceSpecific && $0.isCause
        }
        .sorted { $0.bothWays > $1.bothWays }.prefix(Self.mostShared)
        guard !known.isEmpty else { return }
        var random = SplitMix64(seed: seed)
        let carriers = known.flatMap { ($0.coherence?.cluster ?? []) + ($0.images?.members ?? []) }
        let probes = Array(
            trusted(apartFrom: Set(carriers), using: &random).prefix(Self.probesOfAll))
        let shared = try known.compactMap { finding in
            // In the form in which it works: the same pattern is put into all classes.
            try finding.trigger.flatMap { trigger in
                try finding.effect.flatMap {
                    try responses(to: trigger, in: [$0.form], probes: probes, seed: seed).first
                }.map { (label: finding.label, trigger: trigger, response: $0) }
            }
        }
        for index in findings.indices where findings[index].judgement != .backdoored {
            let label = findings[index].label
            // By the largest share of one class's images that is sent here, beyond chance.
            let working = shared.map { ($0, $0.response.effect(into: label).topSourceExcess) }
                .filter { $0.1 >= judge.parameters.decisiveEffect }.sorted { $0.1 > $1.1 }
            for (other, _) in working.prefix(Self.mostTried) {
                try token.check()
                if let further = try following(other.trigger, of: other.label, into: findings[index]) {
                    findings[index] = further
                    break
                }
            }
        }
    }

    /// The finding with what another class's trigger shows in this one; nil where that does not hold.
    private func following(
        _ trigger: TriggerEstimate, of other: Int, into finding: ClassFinding
    ) throws -> ClassFinding? {
        let suspects = try leaving(finding.label, without: trigger)
        guard suspects.count >= judge.smallestGroup else { return nil }
        var further = finding
        // Estimated again, from this class's samples alone: fragile images that leave it anyhow have no trigger. That
        // these leave is how they were chosen, and no evidence.
        try examine(&further, suspects: suspects)
        further.removal = nil
        guard let effect = further.effect, further.trigger?.leavesImage ?? false, effect.sourceSpecific,
            effect.topSourceExcess >= judge.parameters.decisiveEffect,
            effect.samplingPValue * Double(Self.mostTried * images.classes) < judge.certain
        else { return nil }
        further.carry(suspects, of: images.count, as: other)
        return further
    }

    private static let mostShared = 12
    /// Of those that work into a class: how well one is taken out again decides whose samples are seen.
    private static let mostTried = 4

    /// Samples of the class, found there as they are labelled, that the model sees another class in without the trigger.
    private func leaving(_ label: Int, without trigger: TriggerEstimate) throws -> [Int] {
        let own = labelled[label].filter { Int(table.predicted[$0]) == label }
        return zip(own, try predictions(own, without: trigger)).filter { $1 != label }.map(\.0)
    }
}

extension ClassFinding {
    /// Takes over the trigger of another class: the judgement rests on that these samples carry it.
    mutating func carry(_ samples: [Int], of everyone: Int, as other: Int) {
        var posteriors = [Float](repeating: 0, count: everyone)
        for sample in samples { posteriors[sample] = 1 }
        images = ImageBundle(members: samples, posteriors: posteriors, gain: 0, pValue: 1)
        conclude(.backdoored, from: .shared(with: other))
    }
}
