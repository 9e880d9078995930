import AnalysisPipeline
import Burn
import Execution
import Findings
import Foundation
import ModelFormats
import PackedDataset
import Support
import Tensors
import WorkerProtocol

extension TaskRunner {
    func run(_ task: WorkerTask.Train, _ directory: String) throws {
        guard !task.output.contains("/"), !["", ".", ".."].contains(task.output), task.epochs > 0,
            task.learningRate > 0, task.augmentation.map({ $0.padding >= 0 }) ?? true
        else {
            throw Problem(
                .malformed, code: "training-task-invalid", title: "The training task is invalid",
                detail: "epochs and learning rate must be above 0, the output a plain file name")
        }
        let (file, model) = try open(task.model, seed: task.options.seed)
        if task.initialise { try Self.initialise(model, seed: task.options.seed) }
        let images = try LabelledImages(
            PackedDataset(directory: task.dataset), for: file.graph, options: task.options,
            modelNames: file.summary.classNames)
        try setThreads(task.options)
        var training = SupervisedTraining(
            images: images, epochs: task.epochs, learningRate: task.learningRate, seed: task.options.seed,
            token: token)
        training.augmentation = task.augmentation.map { ($0.padding, $0.flip) }
        try training.run(model) { fraction, _ in
            channel.send(.progress(WorkerProgress(phase: nil, fraction: fraction)))
        }
        try ModelWeights.write(model, from: file, to: directory + "/" + task.output)
        channel.send(.artifact(WorkerArtifact(role: .trainedModel, file: task.output)))
    }

    func run(_ task: WorkerTask.Evaluate) throws {
        let (file, model) = try open(task.model, seed: task.options.seed)
        try setThreads(task.options)
        func images(_ folder: String?) throws -> LabelledImages? {
            try folder.map {
                try LabelledImages(
                    PackedDataset(directory: $0), for: file.graph, options: task.options,
                    modelNames: file.summary.classNames)
            }
        }
        let evaluator = Evaluator(
            clean: try images(task.clean), triggered: try images(task.triggered), target: task.target)
        channel.send(
            .evaluation(
                PurificationMetrics(
                    before: try evaluator.measure(
                        model, threads: AnalysisJob.threads(task.options), token: token))))
    }

    func run(_ task: WorkerTask.Perturb, _ directory: String) throws {
        let (file, model) = try open(task.model, seed: task.options.seed)
        let set = try PackedDataset(directory: task.dataset)
        guard task.samples.allSatisfy({ (0..<set.count).contains($0) }), task.epsilon >= 0, task.steps >= 0
        else {
            throw Problem(
                .malformed, code: "perturbation-task-invalid", title: "The perturbation task is invalid",
                detail: "a sample is not in the data set, or a number is below 0")
        }
        let images = try LabelledImages(
            set, for: file.graph, options: task.options, modelNames: file.summary.classNames)
        try setThreads(task.options)
        let span = try images.highest - images.lowest
        let descent = ProjectedGradientDescent(
            epsilon: try span * (task.epsilon / 255), step: try span * (task.step / 255), steps: task.steps,
            token: token)
        let writer = try PackedDatasetWriter(
            directory: directory, height: set.height, width: set.width, channels: set.channels)
        var done = 0
        for chosen in images.parts(of: task.samples, atMost: 128) {
            let moved = try descent.run(
                model, images.batch(chosen), labels: images.labels(chosen), lowest: images.lowest,
                highest: images.highest)
            let bytes = try ((moved - images.lowest) / span * 255).round().clamp(0, 255).to(.uint8)
                .permute([0, 2, 3, 1]).contiguous().bytes()
            for (place, sample) in chosen.enumerated() {
                try bytes[place * set.imageBytes..<(place + 1) * set.imageBytes].withUnsafeBytes {
                    try writer.append(
                        $0, className: set.classes[set.label(of: sample)], name: set.name(of: sample))
                }
            }
            done += chosen.count
            channel.send(
                .progress(WorkerProgress(phase: nil, fraction: Double(done) / Double(task.samples.count))))
        }
        channel.send(.datasetImported(try writer.finish(format: "perturbed")))
    }

    private func open(_ path: String, seed: UInt64) throws -> (ModelFile, GraphModel) {
        let file = try openModel(at: path)
        let model = try GraphModel(
            graph: file.graph, weights: file.weights, seed: seed, read: file.readWeight)
        return (file, model)
    }

    private func setThreads(_ options: JobOptions) throws {
        try Threads.setCurrent(AnalysisJob.threads(options))
    }

    /// PyTorch's initial values of convolutions and linear layers: uniform within 1 / sqrt(fan-in). Vectors
    /// (biases, batch norm) and what is not called a weight keep the file's values.
    private static func initialise(_ model: GraphModel, seed: UInt64) throws {
        let generator = try Generator(seed: seed)
        var values: [String: Tensor] = [:]
        for (name, tensor) in model.namedWeights where name.hasSuffix("weight") && tensor.rank >= 2 {
            let bound = 1 / Double(tensor.shape.dropFirst().reduce(1, *)).squareRoot()
            values[name] = try Tensor.rand(tensor.shape, generator: generator) * (2 * bound) - bound
        }
        try model.load(values)
    }
}
