import Burn
import Execution
import Findings
import Foundation
import ModelFormats
import PackedDataset
import Support
import Tensors
import WorkerProtocol

/// A helper of a job: does parts of its stages, as the job's own worker would do them.
public struct HelperJob {
    private let directory: String
    private let token: CancellationToken
    private let model: GraphModel
    /// What the model was trained on, and the user's sets.
    private let sets: [ImageSet: LabelledImages]
    private let sketch: PerturbationSketch
    private let method: JobOptions.DistanceMethod
    private let threads: Int

    /// Opens and checks the inputs.
    public init(_ task: WorkerTask.Analyse, directory: String, token: CancellationToken) throws {
        let threads = AnalysisJob.threads(task.options)
        try Threads.setCurrent(threads)
        let (file, model, images) = try AnalysisJob.open(task)
        let evaluator = try AnalysisJob.evaluator(task, file)
        try self.init(
            model: model, images: images, clean: evaluator?.clean, triggered: evaluator?.triggered,
            method: task.options.distance, threads: threads, directory: directory, token: token)
    }

    init(
        model: GraphModel, images: LabelledImages, clean: LabelledImages? = nil,
        triggered: LabelledImages? = nil, method: JobOptions.DistanceMethod, threads: Int,
        directory: String, token: CancellationToken
    ) throws {
        self.model = model
        // Measured as the job's own worker does it, whose batches theirs are.
        sets = [
            .training: images, .clean: try clean?.measured(by: model),
            .triggered: try triggered?.measured(by: model),
        ].compactMapValues(\.self)
        self.method = method
        self.threads = threads
        self.directory = directory
        self.token = token
        let set = images.dataset
        sketch = try PerturbationSketch(values: set.channels * set.height * set.width)
    }

    /// Does one part; its file is there when this returns.
    public func run(_ part: WorkerPart) throws -> WorkerPartEnd {
        guard let images = sets[part.imageSet] else {
            throw Self.invalid("it is of a set that the job does not have")
        }
        try check(part, images)
        for number in part.taken { unlink(path(number)) }
        model.allowReducedPrecision(part.isReduced)
        let predicted = Dictionary(uniqueKeysWithValues: zip(part.samples, part.labels))
        let work = try work(of: part.stage, images)
        // A look for a layer is no work of the part.
        let before = (passes: model.passes.count, bytes: images.dataset.bytesRead)
        let batches = SampleBatches(of: images, threads: threads, token: token)
        let findings = try batches.findings(of: part.samples, threadsOfBatch: part.threadsOfBatch) { batch in
            try work(batch, batch.compactMap { predicted[$0] })
        }
        guard let findings else { throw Self.invalid("it has no samples") }
        try PartFile.write(findings, to: path(part.number))
        let spent = model.passes.count - before.passes
        return WorkerPartEnd(
            number: part.number, forwards: spent.forwards, gradients: spent.gradients,
            bytesRead: images.dataset.bytesRead - before.bytes)
    }

    /// What a stage does with a batch, of which it may have to be told the predictions.
    private func work(
        of stage: StageCost.Stage, _ images: LabelledImages
    ) throws -> @Sendable (_ batch: [Int], _ predicted: [Int32]) throws -> SampleFindings {
        switch stage {
        case .survey:
            let look = FirstLook(model: model, images: images, sketch: sketch, token: token)
            return { batch, _ in try look.findings(of: batch) }
        case .predictions, .evaluation:
            let prediction = Prediction(model: model, images: images, token: token)
            return { batch, _ in try prediction.findings(of: batch) }
        case .descents:
            let descents = FullDescents(
                model: model, images: images, sketch: sketch, method: method, token: token)
            return { try descents.findings(of: $0, predicted: $1) }
        case .featureChanges:
            guard let changes = try FeatureChange(model: model, images: images, token: token) else { break }
            return { try changes.findings(of: $0, predicted: $1) }
        default: break
        }
        throw Self.invalid("\(stage) is not shared")
    }

    private func path(_ part: Int) -> String { directory + "/" + WorkerPart.file(part) }

    /// It comes from a worker that has read the upload.
    private func check(_ part: WorkerPart, _ images: LabelledImages) throws {
        let labels =
            [.survey, .predictions, .evaluation].contains(part.stage) ? 0 : part.samples.count
        guard !part.samples.isEmpty, part.samples.count <= WorkerPart.mostSamples,
            part.samples.allSatisfy((0..<images.count).contains),
            Set(part.samples).count == part.samples.count, part.labels.count == labels,
            part.labels.allSatisfy({ (0..<images.classes).contains(Int($0)) }),
            (1...threads).contains(part.threadsOfBatch),
            (part.stage == .evaluation) == (part.imageSet != .training)
        else { throw Self.invalid("its samples, their labels or its threads are out of range") }
    }

    private static func invalid(_ detail: String) -> Problem {
        Problem(
            .internal, code: "part-invalid", title: "A part of a job is not valid", detail: detail,
            fix: "This is a defect of the service. Report it with this text and the service's version.")
    }
}
