import SeededRandom
import Tensors

/// What the detection found for one predicted class.
struct ClassFinding: Sendable {
    enum Judgement: Hashable, Sendable {
        case clean
        /// One kind of evidence speaks for a backdoor, another does not.
        case suspicious
        case backdoored
    }

    var label: Int
    /// Nil for a class with too few samples.
    var coherence: ClassCoherence?
    /// P-value of the cluster's tightness against what the job's own classes show without their clusters.
    var coherencePValue = 1.0
    /// What the penultimate layer shows; asked where the input shows nothing.
    var features: FeatureEvidence?
    /// What the style of its images shows; asked where neither perturbations nor images show anything.
    var style: StyleEvidence?
    /// The bundle among the images themselves that the cluster belongs to, where there is one.
    var images: ImageBundle?
    /// Estimated only for a class whose cluster stands apart.
    var trigger: TriggerEstimate?
    /// The form that works best.
    var effect: TriggerEffect?
    /// The cluster differs from its own class by less than from the others: its given labels are true.
    var isCleanLabel = false
    var judgement = Judgement.clean

    /// The share of other classes' images that a trigger has to move to count as one.
    ///
    /// Not a statistical cut but what "backdoor" means here: an input pattern that works on a fair part of all
    /// images. Clean models' estimated patterns stay near chance.
    static let workingEffect = 0.25
    static let weakEffect = 0.1
    /// Two modes are cleanly apart above this (Ashman et al., 1994).
    static let cleanSeparation = 2.0
    static let smallestCluster = 8
    /// Family-wise error over all classes.
    static let significance = 0.01
    /// A working pattern makes a class suspicious only with a cluster that is at least this unusual among all classes':
    /// what a class's images have in common by nature works as well.
    static let weakSignificance = 0.05

    var hasDistinctCluster: Bool { coherence?.hasDistinctCluster ?? false }

    /// A cluster no tighter than what is left of the classes without theirs needs no causal test.
    var isWorthTesting: Bool { hasDistinctCluster && coherencePValue < 0.2 }

    /// The judgement rests on features: no trigger is known.
    var isFoundByFeatures: Bool {
        judgement != .clean && effect == nil && features?.unlearning != nil && !isFoundByStyle
    }

    /// The judgement rests on a pattern in the images, not on the perturbations' cluster.
    private(set) var isFoundByImages = false

    /// What the judgement by images rests on, where the pattern is of one class.
    private(set) var pattern: PatternEvidence?

    /// Where images of all classes carry the pattern.
    private(set) var common: CommonPattern?

    /// The judgement rests on the images' style: no pattern is known, but carriers of it are.
    private(set) var isFoundByStyle = false

    /// Puts what was found into other images, where it is a style.
    var styleTransplant: (any StyleTransplant)? { isFoundByStyle ? style?.transplant : nil }

    /// `batch`, samples that carry the trigger, without it; nil where it is not known how they looked.
    func withoutTrigger(_ batch: Tensor) throws -> Tensor? {
        try trigger?.removed(from: batch) ?? styleTransplant?.undone(batch)
    }

    /// `batch`, ordinary images, with the trigger as the carriers have it; as it is where that is not known.
    func withTrigger(_ batch: Tensor, using random: inout SplitMix64) throws -> Tensor {
        if let trigger { return try trigger.stampingMoments(batch, strengths: Tensor.ones([batch.size(0)])) }
        return try styleTransplant?.put(into: batch, using: &random) ?? batch
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

    /// How well a part of the class was unlearned, and the p-value of that against other classes.
    var unlearned: (score: Double, pValue: Double)? {
        if isFoundByStyle { return style?.unlearned }
        return features.flatMap { features in
            features.unlearning.map { ($0.score, features.unlearningPValue) }
        }
    }

    /// Probabilities of carrying the trigger, by sample, as far as the perturbations and the images tell.
    var carriers: [Int: Double] {
        var carriers: [Int: Double] = [:]
        for (sample, posterior) in (images?.posteriors ?? []).enumerated() where posterior > 0 {
            carriers[sample] = Double(posterior)
        }
        guard let coherence, !isFoundByImages else { return carriers }
        for (sample, cosine) in zip(coherence.members, coherence.cosines) {
            carriers[sample] = max(carriers[sample, default: 0], coherence.mixture.posterior(cosine))
        }
        return carriers
    }

    /// The trigger moves images of some classes and leaves the others where they are.
    var isSourceSpecific: Bool { effect?.sourceSpecific ?? false }

    /// Something to be removed, of which there is no estimate.
    var isWithoutTrigger: Bool { isFoundByFeatures || isFoundByStyle }

    /// Of the evidence that the judgement rests on.
    var decisivePValue: Double {
        if isFoundByStyle { return style?.pValue ?? 1 }
        if isFoundByFeatures { return features?.pValue ?? 1 }
        return isFoundByImages ? common?.pValue ?? pattern?.pValue ?? 1 : coherencePValue
    }

    /// The smallest p-value of what works on other classes' images at all.
    var strongestPValue: Double {
        let byDirection = (effect?.excess ?? 0) >= Self.weakEffect ? coherencePValue : 1
        let byStyle = style.map { $0.excess >= $0.style.leastEffect ? $0.pValue : 1 } ?? 1
        return min(byDirection, byStyle, features?.pValue ?? 1)
    }

    /// Judges by a pattern in the images and its effect on the model, where the perturbations alone show too little.
    ///
    /// - Parameters:
    ///   - effectPValue: of the pattern's effect against those of the other classes' patterns.
    ///   - carriers: samples with the class's label that carry the pattern.
    mutating func judgeByImages(classes: Int, effectPValue: Double, carriers: Set<Int>) {
        guard judgement == .clean, let images, let effect, effect.excess >= Self.workingEffect else { return }
        let evidence = PatternEvidence(
            bundlePValue: images.pValue, effectPValue: effectPValue,
            clusterPValue: isPlanted(carriers) ? coherencePValue : nil)
        pattern = evidence
        judgement = evidence.judgement(classes: classes)
        isFoundByImages = judgement != .clean
    }

    /// Whether the perturbations single out the same samples (more of them are in both groups than in one alone), and these
    /// show other classes, as what has a pattern by nature does not.
    private func isPlanted(_ carriers: Set<Int>) -> Bool {
        guard let coherence, hasDistinctCluster, !isCleanLabel else { return false }
        let cluster = Set(coherence.cluster)
        return 2 * cluster.intersection(carriers).count > cluster.union(carriers).count
    }

    /// Takes over what one pattern in images of all classes does to this one.
    mutating func adopt(
        _ bundle: ImageBundle, _ trigger: TriggerEstimate, _ effect: TriggerEffect, _ judgement: Judgement,
        _ common: CommonPattern
    ) {
        (self.common, pattern) = (common, nil)
        (images, self.trigger, self.effect, self.judgement) = (bundle, trigger, effect, judgement)
        isCleanLabel = false
        isFoundByImages = judgement != .clean
    }

    /// As if nothing had been found yet; what is known stays.
    mutating func dropSuspicion() {
        guard judgement == .suspicious else { return }
        judgement = .clean
        (isFoundByImages, isFoundByStyle) = (false, false)
    }

    /// Judges by what the style of a part of the class does to the model, where neither perturbations nor images show
    /// anything.
    ///
    /// What goes along with the style is a part of the trigger, so that its effect on other images is a lower bound; how
    /// many samples it holds in the class is told by taking it out.
    mutating func judgeByStyle(classes: Int) {
        guard judgement == .clean, let style, style.removalPValue < Self.weakSignificance,
            style.excess >= style.style.leastEffect
        else { return }
        if style.pValue * Self.styles(classes) < Self.weakSignificance { judgement = .suspicious }
        guard judgement != .clean else { return }
        (trigger, effect, isCleanLabel) = (nil, nil, false)
        isFoundByStyle = true
        confirmByStyle(classes: classes)
    }

    /// Weighs how well the style's samples are unlearned: a suspicion may become a backdoor, and a style that shows what an
    /// image is of counts for nothing where they are not, or are too few to tell.
    mutating func judgeByUnlearnedStyle(classes: Int) {
        guard isFoundByStyle, let style else { return }
        if style.style.showsContent, (style.unlearned?.pValue ?? 1) >= Self.weakSignificance {
            (judgement, isFoundByStyle) = (.clean, false)
        }
        confirmByStyle(classes: classes)
    }

    private mutating func confirmByStyle(classes: Int) {
        guard isFoundByStyle, let style, style.strength >= Self.workingEffect,
            style.pValue * Self.styles(classes) < Self.significance
        else { return }
        judgement = .backdoored
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
        if familyWise < Self.weakSignificance { judgement = .suspicious }
        if familyWise < Self.significance, concentration < Self.oneSource,
            unlearning.leavingShare < Self.mostOfClass
        {
            judgement = .backdoored
        }
        if judgement != .clean {
            (trigger, effect, isCleanLabel) = (nil, nil, false)
        }
    }

    private static let oneSource = 0.6
    private static let mostOfClass = 0.6

    mutating func judge(classes: Int) {
        guard hasDistinctCluster, let effect else { return }
        let nearlyCoherent = coherencePValue < Self.weakSignificance
        // An unusual cluster whose samples share an unusual pattern as well: two looks at them agree.
        let isConfirmed = nearlyCoherent && (images?.pValue ?? 1) < Self.significance / Double(classes)
        let coherent = coherencePValue < Self.significance / Double(classes) || isConfirmed
        let working = effect.excess >= Self.workingEffect
        let weak = effect.excess >= Self.weakEffect
        let unusual = coherencePValue < Self.weakSignificance / Double(classes)
        judgement =
            working && coherent
            ? .backdoored : (working && unusual) || (weak && coherent) ? .suspicious : .clean
    }
}
