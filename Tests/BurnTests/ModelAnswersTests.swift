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

    @Test func ofASmallSetAllAreKept() throws {
        let (model, images) = (known.model, known.images)
        let answers = try ModelAnswers(of: model, on: images, seed: 3)
        #expect(images.labels.indices.allSatisfy(answers.knows))
        let before = model.passes.count.forwards
        let some = [5, 3, 3, images.count - 1]
        let asked = try answers.probabilities(some)
        #expect(model.passes.count.forwards == before)
        #expect(try largestDifference(asked, model.probabilities(images, some)) < 1e-6)
    }

    @Test func ofALargeOneAsManyAsAreDrawn() throws {
        let (model, images) = (known.model, known.images)
        let answers = try ModelAnswers(of: model, on: images, seed: 3, most: 50)
        let kept = images.labels.indices.filter(answers.knows)
        #expect(kept.count == 50)
        #expect(kept.last! - kept.first! > images.count / 2, "drawn from everywhere")
        let again = try ModelAnswers(of: model, on: images, seed: 3, most: 50)
        #expect(images.labels.indices.filter(again.knows) == kept)
        let asked = images.labels.indices.filter { !answers.knows($0) }.prefix(7) + kept.prefix(2)
        let truth = try model.probabilities(images, Array(asked))
        #expect(try largestDifference(answers.probabilities(Array(asked)), truth) < 1e-6)
        let more = try answers.knowing(Array(asked))
        #expect(asked.allSatisfy(more.knows) && images.labels.indices.count(where: more.knows) == 57)
        #expect(try largestDifference(more.probabilities(Array(asked)), truth) < 1e-6)
    }

    @Test func trainingDrawsOnlyWhatIsKept() throws {
        let answers = try ModelAnswers(of: known.model, on: known.images, seed: 3, most: 40)
        let tuning = FineTuning(
            images: known.images, teacher: answers, token: try CancellationToken(), steps: 3,
            learningRate: 0.01,
            seed: 5, mirrors: false)
        var pool = known.pool()
        let (model, before) = try (known.model.copy(seed: 1), known.model.passes.count.forwards)
        try tuning.run(model, pool: pool, material: known.material(pool)) { _ in }
        #expect(known.model.passes.count.forwards == before, "the teacher was not asked again")
        pool.clean.removeAll(where: answers.knows)
        #expect(throws: (any Error).self) {
            try tuning.run(model, pool: pool, material: known.material(pool)) { _ in }
        }
    }
}
