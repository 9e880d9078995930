import Burn
import Execution
import Findings
import Foundation
import ModelFormats
import PackedDataset

/// A folder of `burn-bench attacks`, opened: its model, and its training set with the classes in the model's order.
struct KnownCase {
    let model: GraphModel
    let images: LabelledImages
    let options: JobOptions

    /// - Throws: `Problem` for files that are not what they should be.
    init(_ folder: URL, seed: UInt64 = 0) throws {
        var options = JobOptions(seed: seed)
        options.classes = try JSONDecoder().decode(
            [String: Int].self, from: Data(contentsOf: folder.appending(path: "classes.json")))
        let file = try openModel(at: folder.appending(path: "model.pt2").path)
        model = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
        images = try LabelledImages(
            PackedDataset(directory: folder.appending(path: "train").path), for: file.graph, options: options,
            modelNames: file.summary.classNames)
        self.options = options
    }
}
