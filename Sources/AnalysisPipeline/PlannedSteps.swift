import Burn
import Execution
import Findings
import WorkerProtocol

extension WorkPlan {
    /// What a job is expected to do.
    /// - Parameter values: numbers of one image.
    static func steps(
        _ type: JobType, _ options: JobOptions, samples count: Int, classes: Int, values: Int
    ) -> [Step] {
        let samples = Double(count)
        let surveyed =
            options.analysesAllSamples
            ? count : Screen(options.parameters ?? Parameters()).most(of: count, labels: classes)
        let isExact = values <= PerturbationStore.maximumWidth
        var steps = [
            Step(
                phase: .boundaryAnalysis, round: 0,
                passes: analysisPasses(options, samples: count, surveyed: surveyed)),
            Step(
                phase: .detection, round: 0,
                passes: options.method == .published
                    ? 0
                    : DetectionCosts(
                        samples: count, surveyed: surveyed, classes: classes, isExact: isExact
                    ).total),
        ]
        guard type == .purify else { return steps }
        // A batch of the student's, and the teacher's opinion of it.
        let tuning = Double(BatchSizes.ofPurification) * (Passes.trainingInForwards + 1)
        steps.append(
            Step(
                phase: .decoupling, round: 0,
                passes: tuning * Double(Purification.decouplingSteps(samples: count))))
        for round in 0..<options.rounds {
            steps.append(
                Step(
                    phase: .refinement, round: round + 1,
                    passes: samples + tuning * Double(Purification.refinementSteps(samples: count))))
        }
        return steps
    }

    /// Before the detection.
    private static func analysisPasses(_ options: JobOptions, samples: Int, surveyed: Int) -> Double {
        guard options.analysesAllSamples else {
            return surveyPasses * Double(surveyed) + Double(samples - surveyed)
        }
        return Double(samples) * (surveyPasses + descentPasses(options))
    }

    private static func descentPasses(_ options: JobOptions) -> Double {
        DetectionCosts.analysis + (options.distance == .ddn ? ddnPasses : 0)
    }

    /// The survey's part of them.
    static func surveyShare(_ options: JobOptions) -> Double {
        options.analysesAllSamples ? surveyPasses / (surveyPasses + descentPasses(options)) : 1
    }

    private static let surveyPasses = Passes.gradientInForwards
    /// DDN's gradients.
    private static let ddnPasses = 40 * Passes.gradientInForwards
}
