import Findings
import Foundation
import PackedDataset
import WorkerProtocol

/// Whether a model takes the backdoor up again: ASR after 50 steps on 50 poisoned samples with the attacker's labels, among
/// clean ones, without which any model would learn to say nothing but the target.
///
/// Purified models of most methods do (Zhu et al., "Uncovering, Explaining, and Mitigating the Superficial Safety of
/// Backdoor Defense", NeurIPS 2024). It stands between two comparisons: plain fine-tuning, that is, the suspicious model
/// trained on with 500 clean samples, and a model that never saw the backdoor, which is as slow as any can be that keeps
/// its accuracy.
public struct Relearning: Codable, Hashable, Sendable {
    /// Of the purified model.
    public var purified: Double
    /// Of the suspicious model after plain fine-tuning, before it relearns and after.
    public var fineTuned: Double
    public var fineTunedAfter: Double
    /// Of a model of the same network and images, trained without poison.
    public var neverPoisoned: Double

    enum CodingKeys: String, CodingKey {
        case purified
        case fineTuned = "fine_tuned"
        case fineTunedAfter = "fine_tuned_after"
        case neverPoisoned = "never_poisoned"
    }

    static let poisonedSamples = 50
    /// With these, one batch: an epoch is a step.
    static let cleanBeside = 78
    static let steps = 50
    static let cleanSamples = 500
    static let fineTuningEpochs = 20
    static let learningRate = 0.01
}

extension CaseMaker {
    /// Nil for a model without a backdoor.
    func relearning(
        of purified: URL, _ benchCase: BenchCase, _ made: Made, scratch: URL
    ) async throws -> Relearning? {
        guard made.data.attack != nil else { return nil }
        let cleanModel = try await make(benchCase.clean).folder.model
        report("relearning", nil)
        let training = CleanImages(
            try PackedDataset(directory: made.folder.training.path), choosing: nil, seed: 0)
        func write(_ samples: some Sequence<Int>, _ name: String) throws -> URL {
            let folder = scratch.appending(path: name)
            let sink = PackedSink(directory: folder.path)
            for sample in samples {
                try sink.add(
                    training.image(sample), className: training.classes[training.labels[sample]],
                    name: PoisonedData.name(sample))
            }
            try sink.finish()
            return folder
        }
        let plan = made.data.plan
        let all = training.labels.indices.filter { plan.role(of: $0) == .clean }
        // Sets come sorted by class.
        func spread(_ samples: [Int], _ count: Int) -> [Int] {
            (0..<min(count, samples.count)).map { samples[$0 * samples.count / min(count, samples.count)] }
        }
        let poisoned = try write(
            spread(plan.poisoned, Relearning.poisonedSamples) + spread(all, Relearning.cleanBeside),
            "relearned-on")
        let clean = try write(spread(all, Relearning.cleanSamples), "fine-tuned-on")
        func asr(_ model: URL) async throws -> Double { try await evaluate(model, of: made).asr ?? 0 }
        func relearned(_ model: URL, _ name: String) async throws -> Double {
            try await asr(train(model, on: poisoned, epochs: Relearning.steps, made, scratch, name))
        }
        let fineTuned = try await train(
            made.folder.model, on: clean, epochs: Relearning.fineTuningEpochs, made, scratch, "fine-tuned")
        return Relearning(
            purified: try await relearned(purified, "purified-relearned"),
            fineTuned: try await asr(fineTuned),
            fineTunedAfter: try await relearned(fineTuned, "fine-tuned-relearned"),
            neverPoisoned: try await relearned(cleanModel, "clean-relearned"))
    }

    private func train(
        _ model: URL, on set: URL, epochs: Int, _ made: Made, _ scratch: URL, _ name: String
    ) async throws -> URL {
        var options = JobOptions(threads: threads)
        // Sets of a part of the samples may lack classes.
        let present = Set(try PackedDataset(directory: set.path).classes)
        options.classes = made.classes.filter { present.contains($0.key) }
        let work = scratch.appending(path: name)
        let task = WorkerTask.Train(
            model: model.path, dataset: set.path, options: options, epochs: epochs,
            learningRate: Relearning.learningRate, output: "model.pt2")
        try await runner.run(.train(task), in: work)
        return work.appending(path: "model.pt2")
    }
}
