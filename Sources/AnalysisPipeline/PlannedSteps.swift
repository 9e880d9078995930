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
        let isExact = values <= PerturbationStore.maximumWidth
        var steps = [
            Step(phase: .boundaryAnalysis, round: 0, passes: samples * analysisPasses(options)),
            Step(
                phase: .detection, round: 0,
                passes: options.method == .published
                    ? 0 : DetectionCosts(samples: count, classes: classes, isExact: isExact).total),
        ]
        guard type == .purify else { return steps }
        // A batch of the student's, and the teacher's opinion of it.
        let tuning = Double(Purification.batch(samples: count)) * (Passes.trainingInForwards + 1)
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

    /// Of a sample, before the detection.
    private static func analysisPasses(_ options: JobOptions) -> Double {
        guard options.analysesAllSamples else { return surveyPasses }
        return surveyPasses + DetectionCosts.analysis + (options.distance == .ddn ? ddnPasses : 0)
    }

    /// The part of them that every sample's first gradient is.
    static func surveyShare(_ options: JobOptions) -> Double { surveyPasses / analysisPasses(options) }

    private static let surveyPasses = Passes.gradientInForwards
    /// DDN's gradients.
    private static let ddnPasses = 40 * Passes.gradientInForwards
}
