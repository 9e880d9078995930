import Burn
import Execution
import Findings
import ModelFormats
import PackedDataset
import Support
import WorkerProtocol

/// The sets that a user gives beside the training set.
extension AnalysisJob {
    static func evaluator(_ task: WorkerTask.Analyse, _ file: ModelFile) throws -> Evaluator? {
        guard let sets = task.evaluation, sets.clean != nil || sets.triggered != nil else { return nil }
        if let target = sets.targetClass { try JobRules.checkTarget(target, outputs: file.graph.classes) }
        return Evaluator(
            clean: try sets.clean.map { try userSet($0, at: "/evaluation/clean", task, file) },
            triggered: try sets.triggered.map {
                try userSet($0, at: "/evaluation/triggered", task, file)
            }, target: sets.targetClass)
    }

    /// A set beside the training set. It may lack classes (the target's, for triggered images): its folders are matched by
    /// name with the training set's.
    /// - Parameter location: where a job request names it.
    static func userSet(
        _ path: String, at location: String, _ task: WorkerTask.Analyse, _ file: ModelFile
    ) throws -> LabelledImages {
        var options = task.options
        let dataset = try PackedDataset(directory: path)
        if options.classes == nil {
            let training = try LabelledImages(
                PackedDataset(directory: task.dataset), for: file.graph, options: options,
                modelNames: file.summary.classNames)
            do {
                options.classes = try training.order.mapping(
                    for: dataset.summary.classes, beside: training.dataset.summary.classes, given: nil)
            } catch let fault as ClassOrder.Fault {
                throw Problem(
                    .unprocessable, code: "dataset-classes-mismatch",
                    title: "The data set's classes do not fit the model's outputs", detail: fault.detail,
                    location: location, fix: fault.fix)
            }
        }
        return try LabelledImages(
            dataset, for: file.graph, options: options, modelNames: file.summary.classNames)
    }
}
