/// What the boundary analysis knows of every sample. Labels are model outputs.
package struct AnalysisTable: Sendable {
    /// The suspicious model's prediction.
    package var predicted: [Int32]
    /// L2 norm, in input units, of the smallest perturbation found that changes the prediction.
    package var distance: [Float]
    /// The class met when the mean-logit objective is descended.
    package var adversarialLabel: [Int32]
    /// L2 norm of that descent's perturbation, whose direction is in the `PerturbationStore`.
    package var perturbationNorm: [Float]

    package var count: Int { predicted.count }

    package init(count: Int) {
        predicted = Array(repeating: 0, count: count)
        distance = Array(repeating: 0, count: count)
        adversarialLabel = predicted
        perturbationNorm = distance
    }
}
