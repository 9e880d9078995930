import Support

/// Every setting of the method that decides a verdict. What only bounds the work (how many samples are looked at) stands where the
/// work is done.
///
/// Coded as an object of the settings that differ from the defaults, by name.
public struct Parameters: Hashable, Sendable {
    // The errors that are allowed.
    public var errorBudget = 0.01
    public var suspicionBudget = 0.05
    // What a backdoor is.
    public var workingEffect = 0.25
    public var weakEffect = 0.1
    public var decisiveEffect = 0.5
    public var naturalCause = 1.0 / 67
    public var mostPlanted = 0.9
    public var fewestDestinations = 3.0
    public var clearMajority = 0.6
    public var mostlyContradicted = 0.5
    // What a group is.
    public var modeSeparation = 2.0
    public var bundleSeparation = 1.5
    public var smallestGroup = 8.0
    // Which samples carry a trigger, and what their labels are.
    public var exactPreference = 0.9
    public var templateMiss = 0.05
    public var templateFalseShare = 0.2
    public var labelBayesFactor = 20.0
    public var unsureQuantile = 0.05
    public var leastLabelConfidence = 0.5
    // What could have been found.
    public var surveyedOfLabel = 512.0
    public var plantedCosine = 0.7
    public var noticedShare = 0.9
    // When a purified model is accepted.
    public var accuracyLoss = 0.05
    public var residual = 0.05

    public init() {}
}

extension Parameters {
    /// One setting: what it may be, and why it is what it is.
    public struct Setting: Sendable {
        public let name: String
        public let path: any WritableKeyPath<Parameters, Double> & Sendable
        public let allowed: ClosedRange<Double>
        /// What it means.
        public let meaning: String
        /// The statistic, definition or source that its default rests on.
        public let reason: String

        public var standard: Double { Parameters()[keyPath: path] }
    }

    public static let settings: [Setting] = [
        Setting(
            name: "error_budget", path: \.errorBudget, allowed: 1e-9...0.5,
            meaning: "Chance that a clean job is called backdoored, over all tests of all searches together",
            reason: "definition: one job in a hundred"),
        Setting(
            name: "suspicion_budget", path: \.suspicionBudget, allowed: 1e-9...0.5,
            meaning:
                "Chance that a clean job is called suspicious or more, over all tests together; by itself the level of tests that confirm "
                + "another one",
            reason: "definition: one job in twenty, were every test's null known exactly"),
        Setting(
            name: "working_effect", path: \.workingEffect, allowed: 0...1,
            meaning:
                "Share of other classes' images, beyond the control's, that a trigger has to move to count as one",
            reason: "definition: an input pattern that works on a fair part of all images"),
        Setting(
            name: "weak_effect", path: \.weakEffect, allowed: 0...1,
            meaning: "Share below which a pattern is none that the model follows",
            reason: "definition: a tenth of the images"),
        Setting(
            name: "decisive_effect", path: \.decisiveEffect, allowed: 0...1,
            meaning:
                "Share of images that decides by itself: both ways, or put into them by what stands apart for certain",
            reason: "definition: most images go in, most carriers leave"),
        Setting(
            name: "natural_cause", path: \.naturalCause, allowed: 1e-6...0.5,
            meaning:
                "p-value, at most, of a trigger that decides both ways, for the confidence where the job's other classes say "
                + "less",
            reason: "rule of succession: of 65 classes that nothing was planted into, none had one"),
        Setting(
            name: "most_planted", path: \.mostPlanted, allowed: 0.5...1,
            meaning: "Largest share of a class that can have been planted",
            reason: "definition: a class that is hardly its own images any more is no class"),
        Setting(
            name: "fewest_destinations", path: \.fewestDestinations, allowed: 2...1000,
            meaning: "Classes that one pattern has to work into, to be a trigger for many",
            reason: "definition: two may be each other's likeness"),
        Setting(
            name: "clear_majority", path: \.clearMajority, allowed: 0.5...1,
            meaning:
                "Share of destinations with a source of their own, of suspects with one adversarial label, of a class that "
                + "left, above which the reading changes",
            reason: "definition: clearly more than half"),
        Setting(
            name: "mostly_contradicted", path: \.mostlyContradicted, allowed: 0...1,
            meaning:
                "Share of a pattern's carriers whose label the model contradicts, above which the labels are in doubt",
            reason: "definition: more than half"),
        Setting(
            name: "mode_separation", path: \.modeSeparation, allowed: 0...10,
            meaning: "Ashman's D above which two modes are cleanly apart",
            reason: "Ashman, Bird and Zepf, 1994"),
        Setting(
            name: "bundle_separation", path: \.bundleSeparation, allowed: 0...10,
            meaning: "The same for groups of images, whose existence a p-value judges",
            reason:
                "two equal normal modes have one peak below D = 2, and can be told at 1.5 with hundreds of samples"
        ),
        Setting(
            name: "smallest_group", path: \.smallestGroup, allowed: 3...1000,
            meaning:
                "Samples of the smallest group that can have been planted; a fifth of a small class, 3 at least",
            reason:
                "three directions have one in common that none of them alone accounts for; eight tell it from chance"
        ),
        Setting(
            name: "exact_preference", path: \.exactPreference, allowed: 0...1,
            meaning:
                "Share of the largest effect at which an exact form of the trigger is taken in its place",
            reason: "chosen: an exact form can be taken out again"),
        Setting(
            name: "template_miss", path: \.templateMiss, allowed: 0...0.5,
            meaning: "Share of the flagged samples that may lie below the cut of the trigger's template",
            reason: "definition: one in twenty"),
        Setting(
            name: "template_false_share", path: \.templateFalseShare, allowed: 0...0.5,
            meaning: "Share of a template's matches that may be false",
            reason: "false discovery rate (Benjamini and Hochberg, 1995) of a list for people to review"),
        Setting(
            name: "label_bayes_factor", path: \.labelBayesFactor, allowed: 1...1e6,
            meaning: "How much likelier one reading of the given labels has to be than the other",
            reason: "strong evidence (Kass and Raftery, 1995)"),
        Setting(
            name: "unsure_quantile", path: \.unsureQuantile, allowed: 0...0.5,
            meaning: "Quantile of known images' certainty below which a sample is unsure",
            reason: "definition: one in twenty of the known images"),
        Setting(
            name: "least_label_confidence", path: \.leastLabelConfidence, allowed: 0...1,
            meaning: "Confidence below which a restored label is not given",
            reason: "definition: a wrong correction does as much harm as a right one does good"),
        Setting(
            name: "surveyed_of_label", path: \.surveyedOfLabel, allowed: 72...1_000_000,
            meaning:
                "Samples of each of ten labels whose gradients are looked at first; as many as that of all labels together where "
                + "there are fewer, no more than of 32 where there are more, but 72 of each",
            reason: "of a set of ten classes, 0.3 % of it planted is fifteen of 512"),
        Setting(
            name: "planted_cosine", path: \.plantedCosine, allowed: 0.05...0.99,
            meaning: "Cosine of a planted gradient to its trigger's direction, for the detectable rate",
            reason: "definition: half of a gradient's energy is the trigger's"),
        Setting(
            name: "noticed_share", path: \.noticedShare, allowed: 0.5...1,
            meaning: "Share of the trials in which planted samples have to be noticed",
            reason: "definition: nine in ten"),
        Setting(
            name: "accuracy_loss", path: \.accuracyLoss, allowed: 0...1,
            meaning: "Accuracy on held-out samples that a purified model may lose",
            reason: "chosen: the suspicious model was trained on these samples, the purified one was not"),
        Setting(
            name: "residual", path: \.residual, allowed: 0...1,
            meaning: "Share of held-out images that the estimated trigger may still move",
            reason: "definition: more is a backdoor that still works"),
    ]

    /// Takes over settings by name.
    /// - Throws: `Problem` `parameter-unknown` or `parameter-out-of-range`.
    /// - Parameter location: of the settings, in the words of the user.
    public init(_ changed: [String: Double], location: String) throws(Problem) {
        self.init()
        for (name, value) in changed.sorted(by: { $0.key < $1.key }) {
            guard let setting = Self.settings.first(where: { $0.name == name }) else {
                throw Problem(
                    .unprocessable, code: "parameter-unknown", title: "There is no such parameter",
                    detail: "“\(name)” is no parameter of the method.", location: location,
                    fix: "Name one of: \(Self.settings.map(\.name).joined(separator: ", ")).")
            }
            guard value.isFinite, setting.allowed.contains(value) else {
                throw Problem(
                    .unprocessable, code: "parameter-out-of-range",
                    title: "A parameter can't have this value",
                    detail: "\(name) is \(value).", location: location,
                    fix:
                        "Give \(setting.allowed.lowerBound) to \(setting.allowed.upperBound), or leave it out for "
                        + "\(setting.standard).")
            }
            self[keyPath: setting.path] = value
        }
        guard errorBudget <= suspicionBudget else {
            throw Problem(
                .unprocessable, code: "parameter-out-of-range", title: "Two parameters contradict each other",
                detail:
                    "error_budget is \(errorBudget), suspicion_budget \(suspicionBudget): what is backdoored is suspicious, too.",
                location: location, fix: "Give suspicion_budget at least the value of error_budget.")
        }
    }

    /// The settings that are not the defaults, by name.
    public var changed: [String: Double] {
        let standard = Parameters()
        return Dictionary(
            uniqueKeysWithValues: Self.settings.filter {
                self[keyPath: $0.path] != standard[keyPath: $0.path]
            }
            .map { ($0.name, self[keyPath: $0.path]) })
    }
}

extension Parameters: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode([String: Double].self), location: "parameters")
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(changed)
    }
}
