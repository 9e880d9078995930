import Evaluation
import Execution
import ModelFormats
import PackedDataset
import Problems
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
                location: "/evaluation/target_class")
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
            let names = try PackedDataset(directory: task.dataset).classes
            options.classes = Dictionary(
                uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
        }
        return try LabelledImages(dataset, for: file.graph, options: options)
    }
}
