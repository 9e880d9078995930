/// How evidence becomes a judgement. Every rule judges only what is clean so far, but that of the perturbations, the first.
extension ClassFinding {
    /// The share of other classes' images that a trigger has to move to count as one.
    ///
    /// Not a statistical cut but what "backdoor" means here: an input pattern that works on a fair part of all
    /// images. Clean models' estimated patterns stay near chance.
    static let workingEffect = 0.25
    static let weakEffect = 0.1
    /// What sends most images into the class, and without which most of its carriers leave, needs no other evidence.
    static let decisiveEffect = 0.5
    /// A class that is hardly its own images any more is no class.
    static let mostPlanted = 0.9
    /// Two modes are cleanly apart above this (Ashman et al., 1994).
    static let cleanSeparation = 2.0
    static let smallestCluster = 8
    /// Of so many samples. Three have a direction in common that none of them alone accounts for.
    static func smallestCluster(of samples: Int) -> Int { min(smallestCluster, max(3, samples / 5)) }
    /// Family-wise error over all classes.
    static let significance = 0.01
    /// A working pattern makes a class suspicious only with a cluster that is at least this unusual among all classes':
    /// what a class's images have in common by nature works as well.
    static let weakSignificance = 0.05

    /// How far the trigger works both ways, beyond the controls: put into other classes' images, which it sends into the
    /// class, and taken out of its carriers, which leave it while the class's others stay. The weaker of the two.
    ///
    /// What the images of a class have in common by nature works one way at most: ships' blue water sends other images to
    /// the ships, but without it ships are ships.
    var bothWays: Double {
        guard let effect, let removal else { return 0 }
        let inserted = effect.sourceSpecific ? effect.topSourceExcess : effect.rate - effect.random
        return min(inserted, removal.excess)
    }

    /// The trigger is the cause: it decides both ways, and neither is chance in any of the classes.
    ///
    /// What a class shows works both ways as well, where it comes in several forms: a wave that begins elsewhere in other
    /// images of the class, taken out of those where it begins here. Then the next group of the class works as well.
    func isCause(classes: Int) -> Bool {
        guard let effect, let removal, bothWays - nextBothWays >= Self.decisiveEffect else { return false }
        return max(effect.samplingPValue, removal.samplingPValue) * Double(classes) < Self.significance
    }

    /// For a trigger that is the cause, against the job's other classes or, where these are poisoned as well, against those of
    /// other models; 1 for any other.
    var causePValue: Double { isCause(classes: 1) ? min(bothWaysPValue, Self.naturalCause) : 1 }

    /// Of 65 classes that nothing was planted into, none had a part with a trigger that works both ways.
    static let naturalCause = Statistics.cautiousShare(0, of: 65)

    /// The cluster is unusual enough, and its trigger works.
    func isDecidedByCluster(classes: Int) -> Bool {
        (effect?.excess ?? 0) >= Self.workingEffect
            && coherencePValue < Self.significance / Double(classes)
    }

    /// Judges by the cluster of perturbations and what the trigger behind it does.
    mutating func judge(classes: Int) {
        guard hasDistinctCluster, let effect,
            labelledSuspects >= Self.smallestCluster(of: coherence?.members.count ?? 0)
        else { return }
        let nearlyCoherent = coherencePValue < Self.weakSignificance
        // An unusual cluster whose samples share an unusual pattern as well: two looks at them agree.
        let isConfirmed = nearlyCoherent && (images?.pValue ?? 1) < Self.significance / Double(classes)
        let coherent = perturbationPValue < Self.significance / Double(classes) || isConfirmed
        let working = effect.excess >= Self.workingEffect
        let weak = effect.excess >= Self.weakEffect
        let unusual = perturbationPValue < Self.weakSignificance / Double(classes)
        let isBackdoored = isCause(classes: classes) || (working && coherent)
        // What works weakly and holds nothing in the class is a natural subgroup. Nothing is known of a trigger that can't be
        // taken out, and clean-label poison stays.
        let isVetoed =
            !isCleanLabel && (trigger?.canBeRemoved ?? false) && (removal?.excess ?? 1) < Self.weakEffect
        let isSuspicious =
            (working && unusual) || (weak && coherent && !isVetoed)
        conclude(isBackdoored ? .backdoored : isSuspicious ? .suspicious : .clean, from: .perturbations)
    }

    /// Judges by a pattern in the images and its effect on the model, where the perturbations alone show too little. A weak
    /// effect, however certain, is no more than suspicious.
    mutating func judge(by evidence: PatternEvidence, classes: Int) {
        // A pattern that the model does not follow is no trigger, however many of its carriers are lost without it.
        guard judgement == .clean, let effect, effect.excess >= Self.weakEffect else { return }
        let strength = max(effect.excess, evidence.removal?.excess ?? 0)
        let found = evidence.judgement(classes: classes)
        if strength >= Self.workingEffect {
            conclude(found, from: .pattern(evidence))
        } else if strength >= Self.weakEffect, found == .backdoored {
            conclude(.suspicious, from: .pattern(evidence))
        }
    }

    /// Whether the perturbations single out the `carriers` of a pattern (more samples are in both groups than in one alone),
    /// and these show other classes, as what has a pattern by nature does not.
    func singlesOut(_ carriers: Set<Int>) -> Bool {
        guard let coherence, hasDistinctCluster, !isCleanLabel else { return false }
        let cluster = Set(coherence.cluster)
        return 2 * cluster.intersection(carriers).count > cluster.union(carriers).count
    }

    /// Takes over what one pattern in images of all classes does to this one.
    mutating func adopt(
        _ bundle: ImageBundle, _ trigger: TriggerEstimate, _ effect: TriggerEffect,
        _ judgement: Conclusion.Judgement, _ common: CommonPattern
    ) {
        (images, self.trigger, self.effect, removal) = (bundle, trigger, effect, nil)
        isCleanLabel = false
        conclude(judgement, from: .common(common))
    }

    /// Judges by what the style of a part of the class does to the model, where neither perturbations nor images show
    /// anything.
    ///
    /// What goes along with the style is a part of the trigger, so that its effect on other images is a lower bound; how
    /// many samples it holds in the class is told by taking it out.
    mutating func judgeByStyle(classes: Int) {
        guard judgement == .clean, let style, style.removalPValue < Self.weakSignificance,
            style.excess >= style.style.leastEffect,
            style.pValue * Self.styles(classes) < Self.weakSignificance
        else { return }
        (trigger, effect, removal, isCleanLabel) = (nil, nil, nil, false)
        conclude(.suspicious, from: .style)
        confirmByStyle(classes: classes)
    }

    /// Weighs how well the style's samples are unlearned: a suspicion may become a backdoor, and a style that shows what an
    /// image is of counts for nothing where they are not, or are too few to tell.
    mutating func judgeByUnlearnedStyle(classes: Int) {
        guard isFoundByStyle, let style else { return }
        if style.style.showsContent, (style.unlearned?.pValue ?? 1) >= Self.weakSignificance {
            conclude(.clean, from: .style)
        }
        confirmByStyle(classes: classes)
    }

    private mutating func confirmByStyle(classes: Int) {
        guard isFoundByStyle, let style, style.strength >= Self.workingEffect,
            style.pValue * Self.styles(classes) < Self.significance
        else { return }
        conclude(.backdoored, from: .style)
    }

    /// What is looked at: every style in every class.
    private static func styles(_ classes: Int) -> Double { Double(classes * ImageStyle.allCases.count) }

    /// Judges by the penultimate layer, where the input shows nothing. `concentration` is the largest share of
    /// one adversarial label among the suspects: mislabelled samples of one class look the same, so one label
    /// alone does not make a backdoor. Where most of the class was unlearned, which of the two parts is the class itself is
    /// for people to say.
    mutating func judgeByFeatures(classes: Int, concentration: Double) {
        guard judgement == .clean, let features, let unlearning = features.unlearning else { return }
        let familyWise = features.pValue * Double(classes)
        guard familyWise < Self.weakSignificance else { return }
        let isCertain =
            familyWise < Self.significance && concentration < Self.oneSource
            && unlearning.leavingShare < Self.mostOfClass
        (trigger, effect, removal, isCleanLabel) = (nil, nil, nil, false)
        conclude(isCertain ? .backdoored : .suspicious, from: .features)
    }

    private static let oneSource = 0.6
    private static let mostOfClass = 0.6
}
