import Burn
import Execution
import Findings
import Tensors
import Testing
import TinyModels

@Suite struct AccuracyTests {
    @Test func cleanAccuracyIsTheShareOfHits() {
        #expect(Accuracy.clean(predictions: [0, 1, 2, 2], labels: [0, 1, 1, 2]) == 0.75)
        #expect(Accuracy.clean(predictions: [], labels: []) == 0)
    }

    @Test func allToOneCountsOtherClassesThanTheTarget() {
        // Of labels 1, 1, 2, 2 (those of class 0 do not count): two go to 0, one is right, one is neither.
        let rates = Accuracy.triggered(
            predictions: [0, 0, 0, 1, 0, 1], labels: [0, 0, 1, 1, 2, 2], target: 0, classes: 3)
        #expect(rates.asr == 0.5 && rates.ra == 0.25)
        let none = Accuracy.triggered(predictions: [0, 0], labels: [0, 0], target: 0, classes: 3)
        #expect(none.asr == 0 && none.ra == 0)
    }

    @Test func allToAllCountsTheNextClass() {
        let rates = Accuracy.triggered(
            predictions: [1, 2, 0, 0, 2, 1], labels: [0, 1, 2, 0, 1, 2], target: nil, classes: 3)
        #expect(abs(rates.asr - 4.0 / 6) < 1e-12 && abs(rates.ra - 1.0 / 6) < 1e-12)
    }

    /// A model that always says 1, on labels 0, 1, 2, 0, 1, 2.
    @Test func theEvaluatorMeasuresWhatItIsGiven() throws {
        let folder = try ScratchFolder()
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([3, 12]), bias: Tensor([0, 1, 0] as [Float]), channels: 3, side: 2)
        let set = try TinyImages.noise(6, side: 2, classes: 3, seed: 1).packed(in: folder.file("set"))
        let images = try LabelledImages(set, for: model.graph, options: JobOptions())
        let both = try Evaluator(clean: images, triggered: images, target: 1).measure(
            model, token: CancellationToken())
        #expect(both == EvaluationMetrics(acc: 1.0 / 3, asr: 1, ra: 0))
        let clean = try Evaluator(clean: images, triggered: nil, target: nil).measure(
            model, token: CancellationToken())
        #expect(clean == EvaluationMetrics(acc: 1.0 / 3))
        let other = try Evaluator(clean: nil, triggered: images, target: 0).measure(
            model, token: CancellationToken())
        #expect(other == EvaluationMetrics(asr: 0, ra: 0.5))
        let token = try CancellationToken()
        token.cancel()
        #expect(throws: CancellationError.self) {
            try Evaluator(clean: images, triggered: nil, target: nil).measure(model, token: token)
        }
    }

    @Test func probabilitiesDoNotDependOnTheBatch() throws {
        let folder = try ScratchFolder()
        let model = try TinyGraph.convolutional(side: 8, classes: 4, seed: 2)
        let set = try TinyImages.noise(11, side: 8, classes: 4, seed: 3).packed(in: folder.file("set"))
        let images = try LabelledImages(set, for: model.graph, options: JobOptions())
        let order = [10, 3, 3, 0, 7]
        let whole = try model.probabilities(images, order)
        #expect(whole.shape == [5, 4])
        #expect(try (whole.sum([1]) - 1).abs().amax().item(as: Float.self) < 1e-5)
        let parts = try model.probabilities(images, order, batch: 2)
        #expect(try (whole - parts).abs().amax().item(as: Float.self) < 1e-5)
        #expect(try model.probabilities(images, []).shape == [0, 4])
        let predictions = try model.predictions(images)
        #expect(try whole.argmax(1).array(as: Int.self) == order.map { predictions[$0] })
    }
}
