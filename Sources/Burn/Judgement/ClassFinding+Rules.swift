/// How evidence becomes a judgement. Every rule but the first (perturbations) judges only what is clean so far.
extension ClassFinding {
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
    var isCause: Bool {
        guard let effect, let removal, bothWays - nextBothWays >= parameters.decisiveEffect
        else { return false }
        return max(effect.samplingPValue, removal.samplingPValue) < judge.certain
    }

    /// For a trigger that is the cause, against the job's other classes or, where these are poisoned as well, against those of
    /// clean models; 1 for any other.
    var causePValue: Double { isCause ? min(bothWaysPValue, parameters.naturalCause) : 1 }

    /// The cluster is unusual enough, and its trigger works.
    var isDecidedByCluster: Bool {
        (effect?.excess ?? 0) >= parameters.workingEffect && coherencePValue < judge.certain
    }

    /// An unusual cluster whose samples share an unusual pattern as well: two looks at them agree.
    private var isConfirmedByBundle: Bool {
        guard coherencePValue < judge.notable, let images, images.pValue < judge.certain else { return false }
        // Too few classes tell what their images have in common by nature.
        guard let bundlePValue else { return true }
        return bundlePValue < judge.notable
            && Statistics.combined(coherencePValue, bundlePValue) < judge.certain
    }

    /// It stands out whatever its images have in common.
    var isDecidedByPerturbations: Bool {
        hasDistinctCluster && (effect?.excess ?? 0) >= parameters.weakEffect
            && (isCause || perturbationPValue < judge.certain)
    }

    /// What its images have in common would decide.
    var needsComparedBundle: Bool {
        hasDistinctCluster && (effect?.excess ?? 0) >= parameters.weakEffect && !isCause
            && perturbationPValue >= judge.certain && isConfirmedByBundle
    }

    /// Judges by the cluster of perturbations and what the trigger behind it does.
    mutating func judgeByPerturbations() {
        guard hasDistinctCluster, let effect,
            labelledSuspects >= judge.smallestGroup(of: coherence?.members.count ?? 0)
        else { return }
        let coherent = perturbationPValue < judge.certain || isConfirmedByBundle
        let working = effect.excess >= parameters.workingEffect
        let weak = effect.excess >= parameters.weakEffect
        let unusual = perturbationPValue < judge.unusual
        let isBackdoored = isCause || (working && coherent)
        // What works weakly and holds nothing in the class is a natural subgroup. Nothing is known of a trigger that can't be
        // taken out, and clean-label poison stays.
        let isVetoed =
            !isCleanLabel && (trigger?.canBeRemoved ?? false)
            && (removal?.excess ?? 1) < parameters.weakEffect
        let isSuspicious =
            (working && unusual) || (weak && coherent && !isVetoed)
        conclude(isBackdoored ? .backdoored : isSuspicious ? .suspicious : .clean, from: .perturbations)
    }

    /// Takes over a pattern of its images with what it does, and judges by that.
    mutating func adopt(_ proposal: PatternProposal, _ evidence: PatternEvidence) {
        adoptTrigger(of: proposal.finding)
        images = proposal.bundle
        pattern = evidence
        judge(by: evidence)
    }

    /// Judges by a pattern in the images and its effect on the model, where the perturbations alone show too little. A weak
    /// effect, however certain, is no more than suspicious.
    mutating func judge(by evidence: PatternEvidence) {
        // A pattern that the model does not follow is no trigger, however many of its carriers are lost without it.
        guard judgement == .clean, let effect, effect.excess >= parameters.weakEffect else { return }
        let strength = max(effect.excess, evidence.removal?.excess ?? 0)
        let found = evidence.judgement(judge)
        if strength >= parameters.workingEffect {
            conclude(found, from: .pattern(evidence))
        } else if found == .backdoored {
            conclude(.suspicious, from: .pattern(evidence))
        }
    }

    /// Whether the perturbations single out the `carriers` of a pattern (more samples are in both groups than in one alone),
    /// and these show other classes, as what has a pattern by nature does not.
    func singlesOut(_ carriers: Set<Int>) -> Bool {
        guard let coherence, hasDistinctCluster, !isCleanLabel else { return false }
        // Of the others it is not known.
        let (cluster, carriers) = (Set(coherence.cluster), carriers.intersection(coherence.members))
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
    mutating func judgeByStyle() {
        guard judgement == .clean, let style, style.excess >= style.style.leastEffect(parameters),
            style.pValue < judge.unusual
        else { return }
        (trigger, effect, removal, isCleanLabel) = (nil, nil, nil, false)
        conclude(.suspicious, from: .style)
        confirmByStyle()
    }

    /// Weighs how well the style's samples are unlearned: a suspicion may become a backdoor, and a style that shows what an
    /// image is of counts for nothing where they are not, or are too few to tell.
    mutating func judgeByUnlearnedStyle() {
        guard isFoundByStyle, let style else { return }
        if style.style.showsContent, (style.unlearned?.pValue ?? 1) >= judge.notable {
            conclude(.clean, from: .style)
        }
        confirmByStyle()
    }

    private mutating func confirmByStyle() {
        guard isFoundByStyle, let style, judge.canCompare, style.strength >= parameters.workingEffect,
            style.pValue < judge.certain
        else { return }
        conclude(.backdoored, from: .style)
    }

    /// Judges by the penultimate layer, where the input shows nothing. `concentration` is the largest share of
    /// one adversarial label among the suspects: mislabelled samples of one class look the same, so one label
    /// alone does not make a backdoor. Where most of the class was unlearned, which of the two parts is the class itself is
    /// for people to say.
    mutating func judgeByFeatures(concentration: Double) {
        guard judgement == .clean, let features, let unlearning = features.unlearning else { return }
        guard features.pValue < judge.unusual else { return }
        let isCertain =
            features.pValue < judge.certain
            && max(concentration, unlearning.leavingShare) < parameters.clearMajority
        (trigger, effect, removal, isCleanLabel) = (nil, nil, nil, false)
        conclude(isCertain ? .backdoored : .suspicious, from: .features)
    }
}
