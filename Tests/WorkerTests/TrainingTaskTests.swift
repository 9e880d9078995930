import Findings
import Foundation
import PackedDataset
import Support
import Testing
import TinyModels
import WorkerProtocol

/// Tasks that make and measure models for benchmarks, in a worker process.
@Suite struct TrainingTaskTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func metrics(
        _ model: String, clean: String?, triggered: String? = nil, target: Int? = nil
    ) throws -> EvaluationMetrics {
        let task = WorkerTask.Evaluate(
            model: model, clean: clean, triggered: triggered, target: target, options: JobOptions())
        let result = try WorkerProcess.run(.evaluate(task), in: folder.file("evaluation"))
        try #require(result.isFinished, "\(result)")
        for case .evaluation(let metrics) in result.messages { return try #require(metrics.before) }
        throw PoisonedCase.NotMade(description: "\(result)")
    }

    @Test func aModelIsMeasuredOnBothSets() throws {
        let made = try PoisonedCase.shared()
        // The set's labels are what the model was trained to say; as a triggered set with target 1, labels 0
        // and 2 count.
        let found = try metrics(made.model, clean: made.dataset, triggered: made.dataset, target: 1)
        #expect(try #require(found.acc) > 0.7)
        #expect(try #require(found.ra) > 0.6)
        #expect(try #require(found.asr) < 0.3)
        let partly = try metrics(made.model, clean: made.dataset)
        #expect(partly.acc == found.acc && partly.asr == nil && partly.ra == nil)
    }

    @Test func perturbedImagesStayInTheBallAndFoolTheModel() throws {
        let made = try PoisonedCase.shared()
        let samples = [5, 3, 200, 17] + Array(40..<100)
        let task = WorkerTask.Perturb(
            model: made.model, dataset: made.dataset, samples: samples, epsilon: 16, step: 4, steps: 8,
            options: JobOptions())
        let result = try WorkerProcess.run(.perturb(task), in: folder.file("perturbed"))
        try #require(result.isFinished, "\(result)")
        let before = try PackedDataset(directory: made.dataset)
        let after = try PackedDataset(directory: folder.file("perturbed"))
        #expect(after.count == samples.count && after.classes == before.classes)
        var largest = 0
        for (place, sample) in samples.enumerated() {
            #expect(after.name(of: place) == before.name(of: sample))
            #expect(after.label(of: place) == before.label(of: sample))
            let moved = after.withImage(at: place) { Array($0) }
            let image = before.withImage(at: sample) { Array($0) }
            largest = max(largest, zip(moved, image).map { abs(Int($0) - Int($1)) }.max() ?? 0)
        }
        #expect(largest == 16)
        let accuracy = try #require(try metrics(made.model, clean: made.dataset).acc)
        let fooled = try #require(try metrics(made.model, clean: folder.file("perturbed")).acc)
        #expect(fooled < accuracy - 0.3)
    }

    @Test func samplesOutsideTheSetAreRefused() throws {
        let made = try PoisonedCase.shared()
        let task = WorkerTask.Perturb(
            model: made.model, dataset: made.dataset, samples: [PoisonedCase.samples], epsilon: 8, step: 2,
            steps: 1,
            options: JobOptions())
        let result = try WorkerProcess.run(.perturb(task), in: folder.file("refused"))
        #expect(result.problem?.code == "perturbation-task-invalid")
    }

    /// New weights depend on the seed and not on the file's; without a step of training they would be all
    /// there is.
    @Test func trainingMayBeginWithNewWeights() throws {
        let made = try PoisonedCase.shared()
        func trained(_ model: String, seed: UInt64, initialise: Bool) throws -> Data {
            let task = WorkerTask.Train(
                model: model, dataset: made.dataset, options: JobOptions(seed: seed, threads: 1), epochs: 1,
                learningRate: 0.01, augmentation: .init(padding: 2, flip: true), initialise: initialise,
                output: "model.pt2")
            let result = try WorkerProcess.run(.train(task), in: folder.file("trained"))
            try #require(result.isFinished, "\(result)")
            return try Data(contentsOf: URL(filePath: folder.file("trained/model.pt2")))
        }
        let first = try trained(PoisonedCase.network, seed: 1, initialise: true)
        #expect(try trained(PoisonedCase.network, seed: 1, initialise: true) == first)
        #expect(try trained(PoisonedCase.network, seed: 2, initialise: true) != first)
        #expect(try trained(PoisonedCase.network, seed: 1, initialise: false) != first)
    }
}
