import Burn
import Execution
import Findings
import Tensors
import Testing
import TinyModels

@Suite struct SupervisedTrainingTests {
    private func train(
        seed: UInt64 = 1, token: CancellationToken? = nil,
        progress: (Double, Double) throws -> Void = { _, _ in }
    ) throws -> (accuracy: Double, weights: [[Float]]) {
        let folder = try ScratchFolder()
        let model = try TinyGraph.convolutional(side: 12, classes: 3, width: 8, seed: 4)
        let set = try TinyImages.motifs(400, side: 12, classes: 3, seed: 5).packed(in: folder.file("set"))
        let images = try LabelledImages(set, for: model.graph, options: JobOptions())
        try SupervisedTraining(images: images, epochs: 20, learningRate: 0.05, seed: seed, token: token)
            .run(model, progress: progress)
        return (
            Accuracy.clean(predictions: try model.predictions(images), labels: images.labels),
            try model.parameters.map { try $0.detach().array() }
        )
    }

    @Test func aSeparableSetIsLearnt() throws {
        var losses: [Double] = []
        var fractions: [Double] = []
        let trained = try train { fraction, loss in
            fractions.append(fraction)
            losses.append(loss)
        }
        #expect(trained.accuracy > 0.95)
        #expect(fractions.count == 60 && fractions == fractions.sorted() && fractions.last == 1)
        let early = losses.prefix(5).reduce(0, +)
        let late = losses.suffix(5).reduce(0, +)
        #expect(late < early / 2)
    }

    @Test func theSameSeedGivesTheSameWeights() throws {
        try Threads.setCurrent(1)
        let first = try train()
        #expect(try train().weights == first.weights)
        #expect(try train(seed: 2).weights != first.weights)
    }

    @Test func trainingStopsWhenCancelled() throws {
        let token = try CancellationToken()
        var steps = 0
        #expect(throws: CancellationError.self) {
            try train(token: token) { _, _ in
                steps += 1
                if steps == 3 { token.cancel() }
            }
        }
        #expect(steps == 3)
    }
}
