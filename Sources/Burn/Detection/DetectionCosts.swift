import Execution

/// What the searches of detection are expected to cost, in forwards of one sample through the model.
package struct DetectionCosts: Sendable {
    var samples: Int
    /// Samples that a gradient was taken of.
    var surveyed: Int
    var classes: Int
    /// Whether the perturbations are kept as they are, so that none is searched for again.
    var isExact: Bool

    package init(samples: Int, surveyed: Int, classes: Int, isExact: Bool) {
        self.samples = max(1, samples)
        self.surveyed = max(1, surveyed)
        self.classes = max(1, classes)
        self.isExact = isExact
    }

    /// Samples of a class.
    private var members: Int { max(1, samples / classes) }

    /// The bundles of classes take no pass; what they take is about that of half a pass of every sample surveyed.
    var bundles: Double { 0.5 * Double(surveyed) }

    /// The mean perturbation of so many suspects.
    private func pattern(_ suspects: Int) -> Double {
        let gradients =
            (isExact ? 0 : min(TriggerSearch.mostForGradients, suspects))
            + Self.gradientsOfDescent * min(TriggerSearch.mostForDescent, suspects)
        return Self.gradient * Double(gradients)
    }

    /// The pattern of a trigger, and what its carriers show without it.
    private var estimate: Double {
        pattern(min(TriggerSearch.mostForEstimate, members))
            + Double(min(TriggerSearch.mostAtFirst, members))
    }

    /// A trigger is estimated, taken out and put in (`TriggerSearch.examine`).
    var trigger: Double {
        // The forms, of which the screen has asked a part, and seldom more than one random direction.
        let probes = min(TriggerSearch.probes(of: classes), samples)
        let further = max(0, probes - TriggerSearch.screened(of: classes))
        let responses = (TriggerSearch.formsBeyondScreen + 1) * further + probes
        let others = (Self.forms - Self.screened) * min(TriggerSearch.screened(of: classes), samples)
        return screenedTrigger + Double(others + responses + 2 * min(TriggerSearch.mostForRemoval, members))
    }

    /// A trigger that goes no further than the screen.
    var screenedTrigger: Double {
        let probes = TriggerSearch.screened(of: classes)
        return estimate + Double((Self.screened + 1) * min(probes, samples))
    }

    /// The triggers behind the clusters of classes and behind what is beside them (`TriggerSearch.examineSides`), of which one
    /// in four is worth more than the screen.
    func triggers(_ classes: Int) -> Double {
        2 * Double(classes) * (0.75 * screenedTrigger + 0.25 * trigger)
    }

    /// What `FeatureChanges` measures.
    var featureChanges: Double { (isExact ? 2 : 2 + Self.gradient) * Double(surveyed) }

    /// Two patterns in the images of each class (`ImageSearch.examineClasses`), of which one in four is worth more than the
    /// screen.
    var classPatterns: Double {
        let held = Double(2 * min(TriggerSearch.mostAtFirst, members))
        return Double(2 * min(classes, Judge.mostTested)) * (0.75 * (screenedTrigger + held) + 0.25 * trigger)
    }

    /// Two patterns in the images of all classes (`ImageSearch.examineAllClasses`), of which one in four is worth more than the
    /// first probes.
    var commonPatterns: Double {
        let probes = TriggerSearch.probesOfAll
        let first = min(probes, TriggerSearch.screenedOfSource * classes)
        let all = 2 * (TriggerSearch.formsBeyondScreen + 1) * probes
        return samples < 2 * probes
            ? 0 : 2 * (estimate + Double((Self.forms + 2) * first) + 0.25 * Double(all))
    }

    /// One style (`StyleSearch`): put into the first probes from three sides for every class, and into all of every second one; seldom
    /// does it so much that it is taken out.
    var style: Double {
        let probes = StyleSearch.probesOfScreen + StyleSearch.probesPerTest / 2
        return Double(3 * min(classes, Judge.mostTested) * min(probes, samples))
    }

    /// One fold of `UnlearningTest`, which trains.
    var unlearning: Double {
        Passes.trainingInForwards * Double(UnlearningTest.steps * UnlearningTest.batch) + Double(members)
    }

    /// `FeatureSearch.examine`: both sides of the candidates and one of the classes that they are compared with, then both folds of each
    /// candidate twice, with as many images again.
    func features(candidates: Int) -> Double {
        guard candidates > 0 else { return 0 }
        let folds = UnlearningTest.nullClasses + (2 + 8) * candidates
        return Double(samples) + Double(folds) * unlearning
    }

    /// Before anything is known: as many classes are looked at as always are, the further searches run in the last round at the latest,
    /// and rarely one of them has to train.
    var expected: [DetectionWork.Stage: Double] {
        [
            .bundles: bundles, .triggers: triggers(min(classes, Detection.classesTested)),
            .featureChanges: featureChanges, .classPatterns: classPatterns,
            .commonPatterns: commonPatterns, .styles: Double(ImageStyle.allCases.count) * style,
            .features: 0.03 * features(candidates: 1),
            .completion: Self.gradient * Double(max(0, members - surveyed / classes)) / 2,
            .distances: Self.analysis
                * Double(min(samples, Self.analysedElsewhere + min(members, Self.analysedOfSuspects) / 2)),
        ]
    }

    package var total: Double { expected.values.reduce(0, +) }

    /// Boundary and moment estimates at their strengths.
    private static let forms = 5
    /// Of these, what is tried first.
    private static let screened = 3
    private static let gradientsOfDescent = 4
    static let gradient = Passes.gradientInForwards
    /// Of a sample that `BoundaryAnalysis` looks at: two descents of seven gradients together, and a few passes to look.
    package static let analysis = 18.0
    /// Samples of classes above suspicion that it looks at, in all.
    static let analysedElsewhere = 400
    /// Samples that the model predicts as a class under suspicion, unless more are needed.
    static let analysedOfSuspects = 512
    /// Of one whose groups are poorly parted.
    static let analysedOfPoorlyParted = 2_048
}
