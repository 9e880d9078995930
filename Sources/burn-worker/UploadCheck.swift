import DatasetFormats
import Findings
import ModelFormats
import WorkerProtocol

/// Looks at the structure of an upload: nothing in it is run or decoded.
enum UploadCheck {
    /// - Returns: what a model is, where its graph is at hand.
    /// - Throws: `Problem` that says what is wrong with the file.
    static func run(_ task: WorkerTask.CheckUpload) throws -> ModelSummary? {
        switch task.content {
        case .model(let skeleton): return try openModel(at: task.file, skeleton: skeleton).summary
        case .weightsAlone: try checkWeightsAlone(at: task.file)
        case .dataset: try ArchiveStructure.check(task.file)
        }
        return nil
    }
}
