import AnalysisPipeline
import Burn
import DatasetFormats
import Execution
import Findings
import Foundation
import Graph
import ModelFormats
import PackedDataset
import Support
import Tensors
import WorkerProtocol

/// Does what a task asks for.
struct TaskRunner {
    let channel: Channel
    let token: CancellationToken
    /// The GPU that it computes on, in words; nil for the processor.
    let gpu: String?

    func run(_ task: WorkerTask) throws {
        switch task.kind {
        case .checkUpload(let check): channel.send(.uploadChecked(try UploadCheck.run(check)))
        case .probeModel(let probe): try run(probe)
        case .checkNode(let check): try NodeCheck.run(check, to: task.outputDirectory)
        case .importDataset(let source): try run(source, task.outputDirectory)
        case .analyse(let analysis):
            // A model on a GPU is in its memory.
            try run(analysis, task.outputDirectory, memory: gpu == nil ? task.confinement?.memoryBytes : nil)
        case .help(let analysis): try help(analysis, task.outputDirectory)
        case .agreement(let analysis):
            let job = try AnalysisJob(analysis, directory: task.outputDirectory, token: token) {
                channel.send($0)
            }
            channel.send(
                .agreement(
                    try job.agreement {
                        channel.send(.progress(WorkerProgress(phase: nil, fraction: $0)))
                    }))
        case .train(let training): try run(training, task.outputDirectory)
        case .evaluate(let evaluation): try run(evaluation)
        case .perturb(let perturbation): try run(perturbation, task.outputDirectory)
        case .render(let render): try run(render, task.outputDirectory)
        case .thumbnails(let thumbnails):
            try ThumbnailWriter.write(
                of: PackedDataset(directory: thumbnails.dataset), to: task.outputDirectory
            ) { token.isCancelled }
        }
    }

    private func run(_ analysis: WorkerTask.Analyse, _ directory: String, memory: Int?) throws {
        let send: @Sendable (WorkerMessage) -> Void = { [channel] in channel.send($0) }
        let helpers = try analysis.sharing.map {
            Helpers($0, machine: try Machine.description(device: gpu), send: send)
        }
        if let helpers { channel.notices.forward { helpers.take($0) } }
        try AnalysisJob(
            analysis, directory: directory, token: token, memory: memory, helpers: helpers, report: send
        ).run()
    }

    /// Until the service wants no more of it.
    private func help(_ analysis: WorkerTask.Analyse, _ directory: String) throws {
        let job = try HelperJob(analysis, directory: directory, token: token)
        channel.send(.helping(machine: try Machine.description(device: gpu)))
        while let notice = channel.notices.next() {
            if case .part(let part) = notice { channel.send(.partFinished(try job.run(part))) }
        }
        throw CancellationError()
    }

    /// Two forward passes with different batch sizes: what the checks say must also hold when it runs.
    private func run(_ probe: WorkerTask.ProbeModel) throws {
        let file = try openModel(at: probe.model, skeleton: probe.skeleton)
        try FiniteWeights.require(file, token: token)
        let model = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
        for count in [2, 3] {
            let shape = [count] + file.graph.imageShape.dropFirst().map { $0 ?? Self.sideOfProbe }
            let logits = try model.forward(Tensor.full(shape, 0.5), mode: .inference, token: token)
            guard logits.shape == [count, file.graph.classes] else {
                throw Self.probeFailed(
                    "For a batch of \(count) images it answers with the shape \(logits.shape), where "
                        + "(\(count), \(file.graph.classes)) is expected.", shape)
            }
            guard try logits.isFinite().all().item() else {
                throw Self.probeFailed("For grey images it answers with NaN or infinity.", shape)
            }
        }
        channel.send(.modelProbed(file.summary, try measured(model, file.graph)))
    }

    /// What a pass takes; nil where that can't be measured, which is no fault of the model's.
    private func measured(_ model: GraphModel, _ graph: Graph) throws -> PassCost? {
        do { return try passCost(of: model, graph) } catch {
            try token.check()
            channel.send(.log("a pass could not be measured: \(error)"))
            return nil
        }
    }

    /// On one thread, the second time, when everything is in place.
    private func passCost(of model: GraphModel, _ graph: Graph) throws -> PassCost {
        try Threads.setCurrent(1)
        func images(_ count: Int) throws -> Tensor {
            try Tensor.full([count] + graph.imageShape.dropFirst().map { $0 ?? Self.sideOfProbe }, 0.5)
        }
        let pair = try images(2)
        let bytes = try model.activationBytes(of: pair)
        let batch = try images(
            max(2, BatchSizes(count: 8, values: 1, activationBytes: bytes).together(atMost: 8)))
        let clock = ContinuousClock()
        var seconds = Double.infinity
        for _ in 0..<2 {
            let taken = try clock.measure { _ = try model.forward(batch, mode: .inference, token: token) }
            seconds = min(seconds, taken / .seconds(1))
        }
        return PassCost(
            height: pair.shape[2], width: pair.shape[3], activationBytes: bytes,
            seconds: seconds / Double(batch.shape[0]))
    }

    /// Where a model takes images of any size.
    private static let sideOfProbe = 32

    private static func probeFailed(_ detail: String, _ shape: [Int]) -> Problem {
        let sizes = shape.map(String.init).joined(separator: ", ")
        return Problem(
            .unprocessable, code: "model-probe-failed", title: "The model does not run", detail: detail,
            fix: "Look at what it says in PyTorch, and export it again once that is right: "
                + "model.eval()(torch.full((\(sizes)), 0.5))")
    }

    private func run(_ task: WorkerTask.ImportDataset, _ directory: String) throws {
        let summary = try DatasetImporter.importDataset(
            from: task.source, parts: task.parts ?? [], to: directory, limits: task.limits,
            options: task.options,
            progress: { channel.send(.progress(WorkerProgress(phase: nil, fraction: $0.fraction ?? 0))) },
            isCancelled: { token.isCancelled })
        try ThumbnailWriter.write(of: PackedDataset(directory: directory), to: directory) {
            token.isCancelled
        }
        channel.send(.datasetImported(summary))
    }

    private func run(_ task: WorkerTask.Render, _ directory: String) throws {
        let set = try PackedDataset(directory: task.dataset)
        guard !task.samples.isEmpty, task.samples.allSatisfy((0..<set.count).contains) else {
            throw Problem(
                .malformed, code: "render-task-invalid", title: "The task is invalid",
                detail: "a sample is not in the data set, or none is named")
        }
        let file = try openModel(at: task.model, skeleton: task.skeleton, images: set.imageSize)
        let model = try GraphModel(
            graph: file.graph, weights: file.weights, seed: task.options.seed, read: file.readWeight)
        let images = try LabelledImages(
            set, for: file.graph, options: task.options, modelNames: file.summary.classNames)
        channel.send(
            .rendered(
                try SamplePictures(model: model, images: images, token: token).write(
                    task.samples, to: directory)))
    }
}

extension PackedDataset {
    fileprivate var imageSize: ImageSize { ImageSize(height: height, width: width) }
}
