import Burn
import Execution
import ModelFormats
import PackedDataset
import Support
import WorkerProtocol

/// The sets that a user gives beside the training set.
extension AnalysisJob {
    static func evaluator(_ task: WorkerTask.Analyse, _ file: ModelFile) throws -> Evaluator? {
        guard let sets = task.evaluation, sets.clean != nil || sets.triggered != nil else { return nil }
        if let target = sets.targetClass, !(0..<file.graph.classes).contains(target) {
            throw Problem(
                .unprocessable, code: "target-class-out-of-range",
                title: "The target class is none of the model's",
                detail: "\(target) was given; the model has outputs 0 to \(file.graph.classes - 1).",
                location: "/evaluation/target_class",
                fix: "Give the number of the attack's target among the model's outputs, or leave it out.")
        }
        return Evaluator(
            clean: try sets.clean.map { try userSet($0, task, file) },
            triggered: try sets.triggered.map { try userSet($0, task, file) }, target: sets.targetClass)
    }

    /// A set beside the training set. It may lack classes (the target's, for triggered images): its folders are matched by
    /// name with the training set's.
    static func userSet(
        _ path: String, _ task: WorkerTask.Analyse, _ file: ModelFile
    ) throws -> LabelledImages {
        var options = task.options
        let dataset = try PackedDataset(directory: path)
        if options.classes == nil {
            let training = try LabelledImages(
                PackedDataset(directory: task.dataset), for: file.graph, options: options,
                modelNames: file.summary.classNames)
            options.classes = Dictionary(
                zip(training.dataset.classes, training.order.outputs), uniquingKeysWith: { first, _ in first }
            )
        }
        return try LabelledImages(
            dataset, for: file.graph, options: options, modelNames: file.summary.classNames)
    }
}
