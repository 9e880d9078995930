import Findings

/// What the detection found for one predicted class.
package struct ClassFinding: Sendable {
    package var label: Int
    /// The rules that it is judged by.
    let judge: Judge
    /// Nil for a class with too few samples.
    var coherence: ClassCoherence?
    /// P-value of the cluster against what the job's own classes show without their clusters.
    var coherencePValue = 1.0
    /// P-value of what its trigger does against what other classes' do; asked in small sets.
    var effectPValue: Double?
    /// What the penultimate layer shows; asked where the input shows nothing.
    var features: FeatureEvidence?
    /// What the style of its images shows; asked where neither perturbations nor images show anything.
    var style: StyleEvidence?
    /// Of how far its trigger works both ways, as it was compared with the other classes'.
    var causeTest: TestRecord?
    /// What every style that was looked at showed, judged or not.
    var styleTests: [StyleEvidence] = []
    /// What speaks for a pattern in its images; asked where the perturbations show nothing.
    var pattern: PatternEvidence?
    /// What speaks for one pattern in the images of all classes; asked where no class has one of its own.
    var common: CommonPattern?
    /// The bundle among the images themselves that the cluster belongs to, where there is one.
    var images: ImageBundle?
    /// P-value of that bundle against those behind the other classes' clusters; asked where the judgement rests on it.
    var bundlePValue: Double?
    /// Estimated only for a class whose cluster stands apart.
    package var trigger: TriggerEstimate?
    /// The form that works best.
    package var effect: TriggerEffect?
    /// What is left of the trigger's carriers without it: shares of the class's other samples, and of the carriers, that
    /// stay in the class with the trigger taken out. Nil for too few.
    var removal: ControlledEffect?
    /// What the trigger behind its cluster does: both ways, and beyond chance; nil where none was tried.
    private(set) var clusterTest: (bothWays: Double, excess: Double)?
    /// What was found when a pattern was looked for in its images; one at most, and none before.
    private var patternLooks: [PatternLook] = []
    /// Styles that were looked for in its images.
    var stylesSeen: Set<ImageStyle> = []
    /// Samples of the class that earlier rounds set aside.
    var setAsideBefore = 0
    /// No more is to be said of the class.
    var isClosed = false
    /// A suspicion was dropped for a backdoor that was found elsewhere.
    private(set) var wasSuspected = false
    /// Samples with its label that were flagged for this.
    var planted: [Int] = []
    /// What else was planted into the class, found once this was set aside.
    package var further: [ClassFinding] = []
    /// Samples that the trigger was estimated from which have the class's label: others can't have been planted into it.
    var labelledSuspects = 0
    /// How far the trigger behind the next group of the class works both ways; asked of a class whose trigger does.
    var nextBothWays = 0.0
    /// Of how far the trigger works both ways, against those of the other classes that were tried.
    var bothWaysPValue = 1.0
    /// The cluster differs from its own class by less than from the others: its given labels are true.
    var isCleanLabel = false
    /// Of a class that something was planted into; nil where the cluster alone tells.
    var labels: LabelEvidence?
    /// What could have been found in it; nil for too little, and for a class that is not clean.
    var noticed: DetectionPower.Noticed?
    /// Samples of the data set have this label.
    var isInData = true
    /// It has samples enough for the searches of the images and their style.
    var isSearchedFurther = false
    /// A pattern or a style of its images stands apart less clearly than those of so many classes that what it does was not tested.
    var isPassedOver = false
    /// Nil for a class without a suspicion.
    private(set) var conclusion: Conclusion?

    init(label: Int, judge: Judge) {
        self.label = label
        self.judge = judge
    }

    var parameters: Parameters { judge.parameters }

    var judgement: Conclusion.Judgement { conclusion?.judgement ?? .clean }

    /// Nothing was found, and nothing can be said: planted samples would not have been noticed, or the trigger behind a cluster that
    /// stands apart could not be tried. Where no sample has the label, none can have been planted.
    var isUnjudged: Bool {
        judgement == .clean && isInData
            && ((noticed == nil && !isSearchedFurther) || (isWorthTesting && effect == nil))
    }

    /// - Parameter ground: what the judgement rests on.
    mutating func conclude(_ judgement: Conclusion.Judgement, from ground: Conclusion.Ground) {
        conclusion = judgement == .clean ? nil : Conclusion(judgement: judgement, ground: ground)
    }

    /// Keeps what its cluster's trigger does, before another search tries one.
    mutating func keepClusterTest() { clusterTest = effect.map { _ in (bothWays, excess) } }

    /// Before another trigger is tried.
    mutating func forgetTrigger() {
        (trigger, effect, removal, isCleanLabel) = (nil, nil, nil, false)
        (nextBothWays, bothWaysPValue, labelledSuspects) = (0, 1, 0)
    }

    /// Takes over a trigger and what is known of it.
    mutating func adoptTrigger(of other: ClassFinding) {
        (trigger, effect, removal, isCleanLabel) = (
            other.trigger, other.effect, other.removal, other.isCleanLabel
        )
        (nextBothWays, bothWaysPValue) = (other.nextBothWays, other.bothWaysPValue)
        labelledSuspects = other.labelledSuspects
    }

    /// Takes over the trigger as it was estimated once more, where it works nearly as well and says the same of the labels.
    mutating func sharpenTrigger(as again: ClassFinding) {
        guard again.isCleanLabel == isCleanLabel, again.bothWays >= parameters.exactPreference * bothWays
        else { return }
        (trigger, effect, removal) = (again.trigger, again.effect, again.removal)
    }

    /// As if nothing had been found yet; what is known stays.
    mutating func dropSuspicion() {
        guard judgement == .suspicious else { return }
        (conclusion, wasSuspected) = (nil, true)
    }

    /// Nil before a pattern was looked for.
    var patternLook: PatternLook? {
        get { patternLooks.first }
        set { patternLooks = newValue.map { [$0] } ?? [] }
    }

    var hasDistinctCluster: Bool { coherence?.isDistinct(parameters) ?? false }

    /// A cluster no tighter than what is left of the classes without theirs needs no causal test.
    var isWorthTesting: Bool { hasDistinctCluster && coherencePValue < judge.worthTesting }

    /// Of the cluster, and of what its trigger does where that was compared, if both are unusual.
    var perturbationPValue: Double {
        guard let effectPValue, max(coherencePValue, effectPValue) < judge.notable else {
            return coherencePValue
        }
        return min(coherencePValue, Statistics.combined(coherencePValue, effectPValue))
    }

    /// The judgement rests on the perturbations' cluster.
    var isFoundByPerturbations: Bool {
        if case .perturbations? = conclusion?.ground { true } else { false }
    }

    /// The judgement rests on features: no trigger is known.
    var isFoundByFeatures: Bool { if case .features? = conclusion?.ground { true } else { false } }

    /// The judgement rests on distances from the boundary, as the published method's does: it knows of no trigger.
    var isFoundByDistance: Bool { if case .distance? = conclusion?.ground { true } else { false } }

    /// The judgement rests on the images' style: no pattern is known, but carriers of it are.
    var isFoundByStyle: Bool { if case .style? = conclusion?.ground { true } else { false } }

    /// The judgement rests on a pattern in the images, not on the perturbations' cluster.
    var isFoundByImages: Bool {
        switch conclusion?.ground {
        case .pattern, .common, .shared: true
        default: false
        }
    }

    /// How far beyond chance what was found sends other classes' images here.
    var excess: Double { isFoundByStyle ? style?.excess ?? 0 : effect?.excess ?? 0 }

    /// Shares of other classes' images, or of one class's where only these are moved, that what was found sends here, and
    /// that its null does: a random direction, or the style of other images.
    var reported: (rate: Double, random: Double)? {
        if isFoundByStyle { return style.map { ($0.insertion.rate, $0.insertion.control) } }
        return effect.map {
            $0.sourceSpecific ? ($0.topSourceRate, $0.topSourceRandom) : ($0.rate, $0.random)
        }
    }

    /// Shares of the class's others and of the carriers that stay there without what was found.
    var held: ControlledEffect? { isFoundByStyle ? style?.removal : removal }

    /// How well a part of the class was unlearned, and the p-value of that against other classes.
    var unlearned: (score: Double, pValue: Double)? {
        if isFoundByStyle { return style?.unlearned }
        return features?.unlearned
    }

    /// Probabilities of carrying the trigger, by sample, as far as the perturbations and the images tell, or the distances.
    var carriers: [Int: Double] {
        if case .distance(_, let carriers)? = conclusion?.ground { return carriers }
        var carriers: [Int: Double] = [:]
        for (sample, posterior) in (images?.posteriors ?? []).enumerated() where posterior > 0 {
            carriers[sample] = Double(posterior)
        }
        guard let coherence, !isFoundByImages else { return carriers }
        for (sample, posterior) in zip(coherence.members, coherence.posteriors) {
            carriers[sample] = max(carriers[sample, default: 0], posterior)
        }
        return carriers
    }

    /// The trigger moves images of some classes and leaves the others where they are.
    var isSourceSpecific: Bool { effect?.sourceSpecific ?? false }

    var labelReading: LabelReading { isCleanLabel ? .right : labels?.reading(parameters) ?? .wrong }

    /// Something is to be removed: its trigger is known, or its samples are.
    var isTarget: Bool { judgement != .clean && (trigger != nil || isWithoutTrigger) }

    /// Something to be removed, of which there is no estimate.
    var isWithoutTrigger: Bool { isFoundByFeatures || isFoundByStyle || isFoundByDistance }

    /// Of the evidence that the judgement rests on.
    var decisivePValue: Double {
        switch conclusion?.ground {
        case .perturbations: min(perturbationPValue, causePValue)
        case .pattern(let evidence): evidence.pValue
        case .common(let evidence): evidence.pValue
        case .shared: parameters.naturalCause
        case .style: style?.pValue ?? 1
        case .features: features?.pValue ?? 1
        case .distance(let found, _): found.pValue
        case nil: 1
        }
    }

    /// The smallest p-value of what works on other classes' images at all.
    var strongestPValue: Double {
        let byDirection = (effect?.excess ?? 0) >= parameters.weakEffect ? coherencePValue : 1
        let byStyle = style.map { $0.excess >= $0.style.leastEffect(parameters) ? $0.pValue : 1 } ?? 1
        return min(byDirection, byStyle, features?.pValue ?? 1)
    }
}
