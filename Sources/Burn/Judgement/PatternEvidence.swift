/// What speaks for a pattern in the images of one class being a trigger: how far it stands apart, what it does where it is
/// put in and taken out, and what the perturbations show.
struct PatternEvidence: Hashable, Sendable {
    /// Of how much alike the images are.
    var bundlePValue: Double
    /// Of what the pattern does to other classes' images, against what the other classes' patterns do.
    var insertionPValue: Double
    /// Of what is left of its samples without it, in the same way; 1 where that could not be asked.
    var removalPValue = 1.0
    /// Shares of the class's other samples, and of those with the pattern, that stay in it with the pattern taken out.
    var removal: ControlledEffect?
    /// Share of all other classes' images that the pattern sends into the class, beyond chance.
    var insertion = 0.0
    /// Of the bundle, in nats.
    var gain = 0.0
    /// Of the class's cluster of perturbations; nil where that is of other samples, or these show their label.
    var clusterPValue: Double?

    /// A trigger may work on images that it was not estimated from, or be what holds its own in their class: the clearer of
    /// the two counts, times two for having been chosen.
    var effectPValue: Double { min(1, 2 * min(insertionPValue, removalPValue)) }

    var pValue: Double {
        clusterPValue.map { Statistics.combined(bundlePValue, effectPValue, $0) } ?? bundlePValue
    }

    /// For a pattern that works. What images of a class have in common by nature (ships are seen on blue water) may work as
    /// well as a trigger does: it must stand apart by itself, unless the perturbations single out the same samples, which
    /// show something else.
    func judgement(_ judge: Judge) -> Conclusion.Judgement {
        if let clusterPValue, max(bundlePValue, effectPValue, clusterPValue) < judge.notable,
            pValue < judge.certain
        {
            return strongest(judge)
        }
        // With few classes to compare with, no effect is unusual: one that moves most images is no natural one of a group that
        // stands apart so clearly.
        if decides(judge), bundlePValue < judge.unusual {
            return bundlePValue < judge.certain ? strongest(judge) : .suspicious
        }
        guard bundlePValue < judge.certain, effectPValue < judge.notable else { return .clean }
        return effectPValue < judge.parameters.errorBudget ? strongest(judge) : .suspicious
    }

    /// Most images are moved. Of two or three classes, what one shows by nature moves most images of the others as well: the pattern
    /// has to hold its own samples there, too.
    private func decides(_ judge: Judge) -> Bool {
        let decisive = judge.parameters.decisiveEffect
        return insertion >= decisive && (judge.canCompare || (removal?.excess ?? 0) >= decisive)
    }

    private func strongest(_ judge: Judge) -> Conclusion.Judgement {
        judge.canCompare ? .backdoored : .suspicious
    }
}
