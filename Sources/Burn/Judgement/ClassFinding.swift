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
    /// This, and what was found after it.
    var withFurther: [ClassFinding] { [self] + further }
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
    mutating func retract() { conclusion = nil }

    /// The same for what is only suspected, which is remembered.
    mutating func dropSuspicion() {
        guard judgement == .suspicious else { return }
        retract()
        wasSuspected = true
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
}
