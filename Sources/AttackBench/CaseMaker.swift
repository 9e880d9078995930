import Findings
import Foundation
import PackedDataset
import WorkerProtocol

/// Makes a case's data and model, step by step; what is there already is kept.
public struct CaseMaker: Sendable {
    public struct Made: Sendable {
        public var folder: CaseFolder
        public var data: PoisonedData
        public var before: EvaluationMetrics
        /// Class name to model output.
        public var classes: [String: Int]
    }

    public var cache: URL
    public var source: DataSource
    /// The untrained `.pt2` network.
    public var network: URL
    public var runner: WorkerRunner
    public var threads: Int?
    /// The same for all that run at the same time in one cache.
    public var shared: SharedWork
    /// Told of each step, and how far it is.
    public var report: @Sendable (String, Double?) -> Void

    public init(
        cache: URL, source: DataSource, network: URL, runner: WorkerRunner, threads: Int? = nil,
        shared: SharedWork = SharedWork(),
        report: @escaping @Sendable (String, Double?) -> Void = { _, _ in }
    ) {
        self.cache = cache
        self.source = source
        self.network = network
        self.runner = runner
        self.threads = threads
        self.shared = shared
        self.report = report
    }

    /// - Throws: `Problem`; the case's finished steps stay.
    public func make(_ benchCase: BenchCase) async throws -> Made {
        try await shared.makeOnce(benchCase.name) { try await makeHere(benchCase) }
    }

    private func makeHere(_ benchCase: BenchCase) async throws -> Made {
        let folder = CaseFolder(url: cache.appending(path: benchCase.name))
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        let images = try await images(benchCase)
        let data = try benchCase.poisonedData(training: images.training, test: images.test)
        let classes = Dictionary(
            uniqueKeysWithValues: images.training.classes.enumerated().map { ($0.element, $0.offset) })
        try writeJSON(benchCase, to: folder.url.appending(path: "case.json"))
        try writeJSON(classes, to: folder.classes)
        try await writeSets(data, benchCase, folder)

        var options = JobOptions(seed: benchCase.seed, threads: threads)
        options.classes = classes
        if !isThere(folder.model) {
            let work = folder.url.appending(path: "training")
            let task = WorkerTask.Train(
                model: network.path, dataset: folder.training.path, options: options,
                epochs: benchCase.epochs, learningRate: benchCase.learningRate,
                augmentation: .init(padding: 2, flip: true), initialise: true, output: "model.pt2")
            try await runner.run(.train(task), in: work) { [report] in report("training", $0.fraction) }
            try FileManager.default.moveItem(at: work.appending(path: "model.pt2"), to: folder.model)
        }
        if !isThere(folder.before) {
            report("measuring", nil)
            let metrics = try await evaluate(folder.model, data, options, folder)
            try writeJSON(metrics, to: folder.before)
        }
        return Made(folder: folder, data: data, before: try readJSON(from: folder.before), classes: classes)
    }

    private func images(_ benchCase: BenchCase) async throws -> (training: CleanImages, test: CleanImages) {
        let data = cache.appending(path: "data")
        try await shared.importOnce(source) {
            try await source.importImages(cache: data, runner: runner, report: report)
        }
        return try source.load(
            training: benchCase.trainingImages, test: benchCase.testImages, seed: benchCase.seed, cache: data)
    }

    /// ACC, ASR and RA of a model of the case.
    public func evaluate(_ model: URL, of made: Made) async throws -> EvaluationMetrics {
        var options = JobOptions(threads: threads)
        options.classes = made.classes
        return try await evaluate(model, made.data, options, made.folder)
    }

    private func evaluate(
        _ model: URL, _ data: PoisonedData, _ options: JobOptions, _ folder: CaseFolder
    ) async throws -> EvaluationMetrics {
        try await runner.evaluate(
            WorkerTask.Evaluate(
                model: model.path, clean: folder.cleanTest.path,
                triggered: data.attack == nil ? nil : folder.triggeredTest.path,
                target: data.attack?.rule.target, options: options),
            in: folder.url.appending(path: "evaluation"))
    }

    private func writeSets(_ data: PoisonedData, _ benchCase: BenchCase, _ folder: CaseFolder) async throws {
        if !PackedDataset.isFinished(folder.training) {
            let perturbed = try await perturbedImages(data, benchCase, folder)
            let places = Dictionary(
                uniqueKeysWithValues: data.plan.poisoned.enumerated().map { ($0.element, $0.offset) })
            let sink = PackedSink(directory: folder.training.path)
            try data.writeTraining(
                to: sink,
                perturbed: { index in
                    guard let perturbed, let place = places[index] else { return nil }
                    return perturbed.image(place)
                }
            ) { report("poisoning", $0) }
            try sink.finish()
            try writeTruth(data, to: folder.truth)
        }
        if !PackedDataset.isFinished(folder.cleanTest)
            || (data.attack != nil && !PackedDataset.isFinished(folder.triggeredTest))
        {
            for set in [folder.cleanTest, folder.triggeredTest] {
                try? FileManager.default.removeItem(at: set)
            }
            let clean = PackedSink(directory: folder.cleanTest.path)
            let triggered = PackedSink(directory: folder.triggeredTest.path)
            try data.writeTests(clean: clean, triggered: triggered)
            try clean.finish()
            try triggered.finish()
        }
    }

    /// The poisoned samples' adversarially perturbed images, in the plan's order, by a model trained on clean
    /// data.
    private func perturbedImages(
        _ data: PoisonedData, _ benchCase: BenchCase, _ folder: CaseFolder
    ) async throws -> CleanImages? {
        guard let perturbation = data.attack?.perturbation else { return nil }
        if !PackedDataset.isFinished(folder.perturbed) {
            let clean = try await make(benchCase.clean)
            var options = JobOptions(threads: threads)
            options.classes = clean.classes
            let task = WorkerTask.Perturb(
                model: clean.folder.model.path, dataset: clean.folder.training.path,
                samples: data.plan.poisoned, epsilon: perturbation.epsilon, step: perturbation.step,
                steps: perturbation.steps, options: options)
            try await runner.run(.perturb(task), in: folder.perturbed) { [report] in
                report("perturbing", $0.fraction)
            }
        }
        let set = try PackedDataset(directory: folder.perturbed.path)
        return CleanImages(set, choosing: nil, seed: 0)
    }

    private func writeTruth(_ data: PoisonedData, to url: URL) throws {
        var text = "name,given_label,true_label,role\n"
        for index in data.training.labels.indices {
            let role = data.plan.role(of: index)
            text += "\(PoisonedData.name(index)),\(data.plan.givenLabels[index]),"
            text += "\(data.training.labels[index]),\(role.rawValue)\n"
        }
        try Data(text.utf8).write(to: url, options: .atomic)
    }
}

extension PackedDataset {
    static func isFinished(_ folder: URL) -> Bool { isThere(folder.appending(path: "manifest.json")) }
}
