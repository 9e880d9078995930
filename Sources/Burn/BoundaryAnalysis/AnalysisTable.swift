/// What the analysis knows of the samples. Labels are model outputs.
///
/// `GradientSurvey` fills in the predictions of all of them and what a gradient tells of some, `BoundaryAnalysis` the rest for
/// those that matter.
package struct AnalysisTable: Sendable {
    /// The suspicious model's prediction.
    package var predicted: [Int32]
    /// The class that the model takes for the next likely one.
    package var runnerUp: [Int32]
    /// First-order estimate of the distance, in input units: margin / ‖∇‖ (`GradientSurvey`); NaN where no gradient was taken.
    package var linearDistance: [Float]
    /// L2 norm, in input units, of the smallest perturbation found that changes the prediction; NaN where none was looked for.
    package var distance: [Float]
    /// The class met when the mean-logit objective is descended; negative where it was not.
    package var adversarialLabel: [Int32]

    package var count: Int { predicted.count }

    package init(count: Int) {
        predicted = Array(repeating: 0, count: count)
        runnerUp = predicted
        linearDistance = Array(repeating: .nan, count: count)
        distance = Array(repeating: .nan, count: count)
        adversarialLabel = Array(repeating: Self.unknown, count: count)
    }

    private static let unknown: Int32 = -1

    /// A gradient was taken: its direction is kept.
    package func isSurveyed(_ sample: Int) -> Bool { !linearDistance[sample].isNaN }

    /// Samples that a gradient was taken of.
    package var surveyed: Int { predicted.indices.count(where: isSurveyed) }

    /// Distance and adversarial label were looked for.
    package func isAnalysed(_ sample: Int) -> Bool { adversarialLabel[sample] != Self.unknown }

    package func exactDistance(_ sample: Int) -> Double? {
        isAnalysed(sample) ? Double(distance[sample]) : nil
    }

    package func metLabel(_ sample: Int) -> Int? {
        isAnalysed(sample) ? Int(adversarialLabel[sample]) : nil
    }
}
