/// Whether the model carries a backdoor, into which classes, and how sure that is.
public struct Verdict: Codable, Hashable, Sendable {
    public enum Result: String, Codable, Hashable, Sendable, CaseIterable {
        case clean, backdoored
        /// The kinds of evidence disagree.
        case suspicious
        /// Nothing was found, but some classes have too few samples to be judged.
        case undetermined
    }

    /// The attack's shape, as the evidence shows it.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case allToOne = "all-to-one"
        case severalTargets = "several-targets"
        case allToAll = "all-to-all"
        /// The flagged samples' given labels are their true ones.
        case cleanLabel = "clean-label"
    }

    public var result: Result
    /// Model output indices, most affected first.
    public var targetClasses: [Int]
    public var kind: Kind?
    public var poisonedSamples: Int
    public var poisonRate: Double
    /// 95 % interval of the poison rate: `[low, high]`.
    public var poisonRateInterval: [Double]
    /// Posterior-like confidence in `result`, 0.5 to 1, from what was measured in the job; nil where that decides nothing.
    public var confidence: Double?
    /// The smallest poison rate that was noticed in trials on this job; nil where there were none.
    public var detectableRate: Double?
    /// Classes with too few samples to be judged; nil in verdicts of versions that did not say.
    public var unjudgedClasses: [Int]?
    public var evidence: Evidence
    /// Nil in verdicts of versions that did not say.
    public var engine: Engine?
    /// How far predictions and given labels agree; nil in verdicts of versions that did not say.
    public var agreement: Agreement?

    public init(
        result: Result, targetClasses: [Int], kind: Kind?, poisonedSamples: Int, poisonRate: Double,
        poisonRateInterval: [Double], confidence: Double?, detectableRate: Double?,
        unjudgedClasses: [Int]? = nil, evidence: Evidence, engine: Engine? = nil, agreement: Agreement? = nil
    ) {
        self.result = result
        self.targetClasses = targetClasses
        self.kind = kind
        self.poisonedSamples = poisonedSamples
        self.poisonRate = poisonRate
        self.poisonRateInterval = poisonRateInterval
        self.confidence = confidence
        self.detectableRate = detectableRate
        self.unjudgedClasses = unjudgedClasses
        self.evidence = evidence
        self.engine = engine
        self.agreement = agreement
    }

    enum CodingKeys: String, CodingKey {
        case result, kind, confidence, evidence, engine, agreement
        case targetClasses = "target_classes"
        case poisonedSamples = "poisoned_samples"
        case poisonRate = "poison_rate"
        case poisonRateInterval = "poison_rate_interval"
        case detectableRate = "detectable_rate"
        case unjudgedClasses = "unjudged_classes"
    }
}

/// What a verdict rests on.
public struct Evidence: Codable, Hashable, Sendable {
    public var classes: [ClassEvidence]
    /// In plain words, one finding a line; includes what cannot be excluded.
    public var statements: [String]

    public init(classes: [ClassEvidence], statements: [String]) {
        self.classes = classes
        self.statements = statements
    }
}

/// A trigger that was found in a class once the samples of those before it were set aside: another one, or the same where the first look
/// missed a group of its carriers.
public struct FurtherTrigger: Codable, Hashable, Sendable {
    public var flaggedSamples: Int
    /// As of `ClassEvidence`.
    public var triggerEffect: Double?
    public var randomEffect: Double?
    public var stayingCarriers: Double?
    public var stayingOthers: Double?
    public var givenLabels: String?

    public init(
        flaggedSamples: Int, triggerEffect: Double?, randomEffect: Double?, stayingCarriers: Double?,
        stayingOthers: Double?, givenLabels: String?
    ) {
        self.flaggedSamples = flaggedSamples
        self.triggerEffect = triggerEffect
        self.randomEffect = randomEffect
        self.stayingCarriers = stayingCarriers
        self.stayingOthers = stayingOthers
        self.givenLabels = givenLabels
    }

    enum CodingKeys: String, CodingKey {
        case flaggedSamples = "flagged_samples"
        case triggerEffect = "trigger_effect"
        case randomEffect = "random_effect"
        case stayingCarriers = "staying_carriers"
        case stayingOthers = "staying_others"
        case givenLabels = "given_labels"
    }
}

/// The evidence about one predicted class.
public struct ClassEvidence: Codable, Hashable, Sendable {
    public var label: Int
    public var name: String
    /// Samples predicted as this class.
    public var samples: Int
    public var flaggedSamples: Int
    public var medianBoundaryDistance: Double
    /// Probability that a flagged sample lies further from the boundary than another one of the class, ties counting half: 0.5
    /// for no difference. Nil for a class without a finding, with too few samples of either kind, or whose samples were flagged
    /// for their distance. No verdict rests on it.
    public var distanceAUROC: Double?
    /// The same for the groups that share most in the classes above suspicion, their mean, and the p-value against them. Nil
    /// where there are too few.
    public var distanceNull: Double?
    public var distancePValue: Double?
    /// Share of the class's perturbation energy in one common direction: 0 to 1.
    public var coherenceShare: Double
    /// The same for the job's own null, and the p-value against it.
    public var coherenceNull: Double
    public var coherencePValue: Double
    /// Share of other classes' images that the estimated trigger sends here, beside a random direction's
    /// of the same norm. Nil where it was not tested.
    public var triggerEffect: Double?
    public var randomEffect: Double?
    /// Shares that stay in the class with the trigger taken out of them: of the samples that carry it, and of the class's
    /// others. Nil where it was not tested.
    public var stayingCarriers: Double?
    public var stayingOthers: Double?
    /// Largest share of one class among the flagged samples' adversarial labels.
    public var adversarialConcentration: Double
    /// The same coherence in the penultimate layer: its p-value against the other classes. Nil where it was not
    /// looked at: the model has no such layer, or the input alone was enough.
    public var featurePValue: Double?
    /// The unlearning test of that bundle: the share of unseen suspects that take on the label they show, plus
    /// the share of the class's other unseen samples that stay (0 to 2), and its p-value against the same test
    /// on other classes. Nil where it was not run.
    public var unlearningScore: Double?
    public var unlearningPValue: Double?
    /// The smallest number of planted samples that was noticed in trials on this class. Nil where not even half of the class
    /// would have been, where it is under suspicion, and in verdicts of versions that did not try.
    public var fewestNoticed: Int?
    /// Whether the flagged samples' given labels are `wrong` (they belong to other classes), `right` (clean-label poison),
    /// or `open`: the two can't be told apart. Labels are restored where they are wrong. Nil for a class without suspicion.
    public var givenLabels: String?
    /// Share of the flagged samples that the model sees less surely, without the trigger, than 95 % of known images under the
    /// same trigger. Nil where no trigger is known, or it was not asked.
    public var unsureShare: Double?
    /// What was found in the class once this trigger's samples were set aside, one after the other. Nil where nothing was,
    /// and in verdicts of versions that looked for one.
    public var furtherTriggers: [FurtherTrigger]?

    public init(
        label: Int, name: String, samples: Int, flaggedSamples: Int, medianBoundaryDistance: Double,
        distanceAUROC: Double? = nil, distanceNull: Double? = nil, distancePValue: Double? = nil,
        coherenceShare: Double, coherenceNull: Double, coherencePValue: Double, triggerEffect: Double?,
        randomEffect: Double?, stayingCarriers: Double? = nil, stayingOthers: Double? = nil,
        adversarialConcentration: Double, featurePValue: Double? = nil,
        unlearningScore: Double? = nil, unlearningPValue: Double? = nil, fewestNoticed: Int? = nil,
        givenLabels: String? = nil, unsureShare: Double? = nil, furtherTriggers: [FurtherTrigger]? = nil
    ) {
        self.label = label
        self.name = name
        self.samples = samples
        self.flaggedSamples = flaggedSamples
        self.medianBoundaryDistance = medianBoundaryDistance
        self.distanceAUROC = distanceAUROC
        self.distanceNull = distanceNull
        self.distancePValue = distancePValue
        self.coherenceShare = coherenceShare
        self.coherenceNull = coherenceNull
        self.coherencePValue = coherencePValue
        self.triggerEffect = triggerEffect
        self.randomEffect = randomEffect
        self.stayingCarriers = stayingCarriers
        self.stayingOthers = stayingOthers
        self.adversarialConcentration = adversarialConcentration
        self.featurePValue = featurePValue
        self.unlearningScore = unlearningScore
        self.unlearningPValue = unlearningPValue
        self.fewestNoticed = fewestNoticed
        self.givenLabels = givenLabels
        self.unsureShare = unsureShare
        self.furtherTriggers = furtherTriggers
    }

    enum CodingKeys: String, CodingKey {
        case label, name, samples
        case flaggedSamples = "flagged_samples"
        case medianBoundaryDistance = "median_boundary_distance"
        case distanceAUROC = "distance_auroc"
        case distanceNull = "distance_null"
        case distancePValue = "distance_p_value"
        case coherenceShare = "coherence_share"
        case coherenceNull = "coherence_null"
        case coherencePValue = "coherence_p_value"
        case triggerEffect = "trigger_effect"
        case randomEffect = "random_effect"
        case stayingCarriers = "staying_carriers"
        case stayingOthers = "staying_others"
        case adversarialConcentration = "adversarial_concentration"
        case featurePValue = "feature_p_value"
        case unlearningScore = "unlearning_score"
        case unlearningPValue = "unlearning_p_value"
        case fewestNoticed = "fewest_noticed"
        case givenLabels = "given_labels"
        case unsureShare = "unsure_share"
        case furtherTriggers = "further_triggers"
    }
}
