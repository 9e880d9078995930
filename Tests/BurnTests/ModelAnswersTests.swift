import Execution
import Tensors
import Testing
import TinyModels

@testable import Burn

@Suite struct ModelAnswersTests {
    private let known: PlantedPixels

    init() throws { known = try PlantedPixels() }

    private func largestDifference(_ some: Tensor, _ other: Tensor) throws -> Float {
        try zip(some.array(as: Float.self), other.array(as: Float.self)).map { abs($0 - $1) }.max() ?? 0
    }

    /// Kept or not, they are the model's. What is kept is asked for once.
    @Test(arguments: [(1_200, [3, 1]), (1_199, [4, 3])]) func areKeptOfASetThatIsNotLarge(
        _ most: Int, _ asked: [Int]
    ) throws {
        let (model, images) = (known.model, known.images)
        let before = model.passes.count.forwards
        let answers = try ModelAnswers(of: model, on: images, most: most)
        #expect(model.passes.count.forwards == before)
        #expect(try answers.predictions([]).isEmpty)
        for (some, asked) in zip([[5, 3, 3, images.count - 1], [3, 7, 5]], asked) {
            let built = model.passes.count.forwards
            let found = try answers.probabilities(some)
            #expect(model.passes.count.forwards - built == asked)
            #expect(found.shape == [some.count, PlantedPixels.classes])
            #expect(try largestDifference(found, model.probabilities(images, some)) < 1e-6)
            #expect(try answers.predictions(some) == model.predictions(images, some))
        }
    }

    /// A training that asks for them learns the same, and draws from all samples.
    @Test func aTrainingDoesNotDependOnIt() throws {
        func trained(_ answers: ModelAnswers) throws -> (model: GraphModel, asked: Int) {
            let tuning = FineTuning(
                images: known.images, teacher: answers, token: try CancellationToken(), steps: 6,
                learningRate: 0.01,
                seed: 5, mirrors: false)
            let (model, before) = (try known.model.copy(seed: 1), known.model.passes.count.forwards)
            try tuning.run(model, pool: known.pool(), material: known.material(known.pool())) { _ in }
            return (model, known.model.passes.count.forwards - before)
        }
        let answers = try ModelAnswers(of: known.model, on: known.images)
        let kept = try trained(answers)
        // It draws the same samples once more, all of which are known.
        #expect(try trained(answers).asked == 0)
        let fresh = try trained(ModelAnswers(of: known.model, on: known.images, most: 0))
        #expect(kept.asked < fresh.asked && fresh.asked == 6 * 103, "\(kept.asked), \(fresh.asked)")
        for (one, other) in zip(kept.model.parameters, fresh.model.parameters) {
            #expect(try largestDifference(one, other) < 1e-4)
        }
    }
}
