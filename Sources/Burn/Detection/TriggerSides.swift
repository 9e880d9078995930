import Support
import Tensors

/// The tests of cause on a class's cluster: on either side of it, and beside what the class shows by nature.
extension TriggerSearch {
    /// Tries the trigger behind a class's cluster and, where that decides nothing, the one behind the samples beside it: which
    /// of the two was planted, if one was, is for the test of cause to say. The one that works better both ways counts where
    /// it is a cause.
    func examineSides(_ finding: inout ClassFinding) throws {
        guard let coherence = finding.coherence else { return }
        var own = finding
        try examine(&own, suspects: coherence.cluster, care: .screened)
        try compareWithNext(&own)
        finding = own
        let turned = coherence.turned
        guard !own.isDecidedByCluster,
            turned.cluster.count >= judge.smallestGroup(of: coherence.members.count),
            Double(turned.cluster.count) < judge.parameters.mostPlanted * Double(coherence.members.count)
        else { return }
        var other = own
        other.coherence = turned
        try examine(&other, suspects: turned.cluster, care: .screened)
        guard other.bothWays > own.bothWays || !own.isCause else { return }
        try compareWithNext(&other)
        if other.isCause { finding = other }
    }

    /// How far the trigger behind the strongest group among the class's other samples works both ways, for a trigger that does.
    private func compareWithNext(_ finding: inout ClassFinding) throws {
        guard finding.isCause, let coherence = finding.coherence else { return }
        var random = SplitMix64(seed: seed &+ UInt64(finding.label))
        let rest = Array(coherence.remainder.shuffled(using: &random).prefix(Self.mostForEstimate))
        guard rest.count >= 2 * judge.smallestGroup else {
            // Too few to tell what the class shows by nature.
            finding.nextBothWays = 1
            return
        }
        let found = try CoherentCluster.strongest(
            in: store.rows(rest), judge.parameters, generator: Generator(seed: seed))
        guard found.rows.count < rest.count else { return }
        var next = ClassFinding(label: finding.label, judge: judge)
        try examine(
            &next, suspects: found.rows.map { rest[$0] }, apartFrom: Set(coherence.cluster), care: .screened)
        finding.nextBothWays = max(0, next.bothWays)
    }
}
