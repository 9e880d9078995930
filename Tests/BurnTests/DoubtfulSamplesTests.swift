import Execution
import Findings
import Support
import Tensors
import Testing
import TinyModels

@testable import Burn

/// What was flagged with little certainty is not learned from, and judged by the model that comes of the rest.
@Suite struct DoubtfulSamplesTests {
    let known: PlantedPixels

    init() throws { known = try PlantedPixels() }

    private func backdoor(_ belief: (Int) -> Double, labels: LabelReading = .wrong) throws -> Backdoor {
        var backdoor = try #require(known.diagnosis.backdoors.first)
        backdoor.labels = labels
        backdoor.carriers = Dictionary(uniqueKeysWithValues: known.planted.map { ($0, belief($0)) })
        return backdoor
    }

    private func pool(
        _ backdoor: Backdoor, reviews: Reviews = .none, keeping most: Int = .max, others: [Backdoor] = []
    ) -> TrainingPool {
        var pool = known.pool()
        pool.poison = Array(pool.poison.prefix(most))
        pool.putOffDoubtful(
            others + [backdoor], table: known.table, labels: known.images.labels, reviews: reviews)
        return pool
    }

    @Test func theSurerHalfIsLearnedFromButForItsControls() throws {
        let parted = pool(try backdoor { Double($0) / 300 })
        #expect(parted.doubtful == Array(0..<150))
        #expect(parted.poison == Array(150..<300))
        #expect(parted.controls == Array(stride(from: 150, to: 300, by: 4)))
        #expect(parted.flags(Array(repeating: false, count: 300)) == Array(repeating: true, count: 300))
    }

    /// Certain, few, of labels that may be right, or named by people: nothing is put off.
    @Test func whatCannotBeDoubtedIsNot() throws {
        #expect(pool(try backdoor { _ in 1 }).doubtful.isEmpty)
        let graded = try backdoor { Double($0) / 300 }
        #expect(pool(graded, keeping: 63).doubtful.isEmpty)
        #expect(pool(graded, keeping: 64).doubtful == Array(0..<32))
        #expect(pool(try backdoor({ Double($0) / 300 }, labels: .right)).doubtful.isEmpty)
        #expect(pool(graded, others: [graded]).doubtful.isEmpty, "a sample of two may carry the other one")
        let named = Reviews([SampleReview(index: 3, decision: .accept)])
        let parted = pool(graded, reviews: named)
        #expect(!parted.doubtful.contains(3) && parted.poison.contains(3) && parted.doubtful.contains(4))
    }

    /// Sixty of the class's own images were flagged along with 240 planted ones. A model that was told of the surer half sees the sixty as
    /// they are labelled, and the others not.
    @Test func whatAModelThatWasNotToldSeesAsLabelledIsCleared() throws {
        let mistake = try FlaggedByMistake(try backdoor { Double($0) / 300 }, own: 60)
        var pool = mistake.pool
        let found = try mistake.refine(&pool, with: FlaggedByMistake.model(trigger: 0))
        #expect(found.cleared == Array(0..<60) && pool.cleared == found.cleared)
        let again = try mistake.refine(&pool, with: FlaggedByMistake.model(trigger: 0))
        #expect(again.newlyClean.isEmpty && pool.cleared == found.cleared)
        #expect(Set(pool.clean).isDisjoint(with: found.cleared), "nor are they learned from")
        #expect(pool.doubtful.isEmpty && pool.controls.isEmpty)
        #expect(pool.poison == Array(60..<300))
        #expect(pool.flags(Array(repeating: true, count: 300)).firstIndex(of: true) == 60)
    }

    /// Of 150 doubtful samples, three or four may stay though they were planted, for all that 38 controls tell: of ten, that would be too
    /// many.
    @Test func whatMayBePlantedStaysFlagged() throws {
        let mistake = try FlaggedByMistake(try backdoor { Double($0) / 300 }, own: 10)
        var pool = mistake.pool
        let found = try mistake.refine(&pool, with: FlaggedByMistake.model(trigger: 0))
        #expect(found.cleared.isEmpty && pool.poison == Array(0..<300))
    }

    @Test func nobodyIsClearedWithoutControls() throws {
        let mistake = try FlaggedByMistake(try backdoor { Double($0) / 300 }, own: 60)
        var pool = mistake.pool
        pool.controls = []
        #expect(try mistake.refine(&pool, with: FlaggedByMistake.model(trigger: 0)).cleared.isEmpty)
    }

    /// A model that still follows the trigger says nothing of anybody.
    @Test func nobodyIsClearedByAModelThatKeepsTheControls() throws {
        let mistake = try FlaggedByMistake(try backdoor { Double($0) / 300 }, own: 60)
        var pool = mistake.pool
        let found = try mistake.refine(&pool, with: FlaggedByMistake.model(trigger: FlaggedByMistake.trigger))
        #expect(found.cleared.isEmpty && pool.cleared.isEmpty)
        #expect(pool.poison == Array(0..<300))
    }
}

/// White pixels: one for every class, and one, the trigger, that says class 0 louder.
private struct FlaggedByMistake {
    static let trigger: Float = 20
    private static let side = 6
    private static let classes = 4
    private static let values = 3 * 36

    private let folder: ScratchFolder
    private let images: LabelledImages
    private let backdoor: Backdoor
    /// As it is before the first round.
    let pool: TrainingPool

    /// - Parameter own: the first of the 300 flagged ones, which carry no trigger.
    init(_ backdoor: Backdoor, own: Int) throws {
        self.backdoor = backdoor
        var drawn = TinyImages(side: Self.side)
        func add(_ seen: Int, given: Int, triggered: Bool = false) {
            var pixels = [UInt8](repeating: 128, count: Self.values)
            for channel in 0..<3 {
                pixels[3 * (10 + seen) + channel] = 255
                if triggered { pixels[channel] = 255 }
            }
            drawn.add(pixels, label: given)
        }
        for _ in 0..<own { add(0, given: 0) }
        for order in own..<300 { add(1 + order % 3, given: 0, triggered: true) }
        for order in 0..<400 { add(order % 4, given: order % 4) }
        folder = try ScratchFolder()
        images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: Self.model(trigger: Self.trigger).graph,
            options: JobOptions())
        var pool = TrainingPool(clean: Array(300..<600), holdout: Array(600..<700), poison: Array(0..<300))
        var table = AnalysisTable(count: images.count)
        for sample in images.labels.indices { table.predicted[sample] = Int32(images.labels[sample]) }
        pool.putOffDoubtful([backdoor], table: table, labels: images.labels, reviews: .none)
        self.pool = pool
    }

    /// - Parameter trigger: what the trigger's pixel weighs, where a class's weighs 10.
    static func model(trigger: Float) throws -> GraphModel {
        var weights = [Float](repeating: 0, count: classes * values)
        for channel in 0..<3 {
            weights[36 * channel] = trigger
            for label in 0..<classes { weights[label * values + 36 * channel + 10 + label] = 10 }
        }
        return try TinyGraph.linear(
            weight: Tensor(weights, shape: [classes, values]),
            // A grey pixel says nothing.
            bias: Tensor([-3 * trigger * 128 / 255, 0, 0, 0]), channels: 3, side: side)
    }

    func refine(
        _ pool: inout TrainingPool, with sanitised: GraphModel
    ) throws -> ProgressiveRefinement.Disagreement {
        let original = try Self.model(trigger: Self.trigger)
        var refinement = try ProgressiveRefinement(
            images: images, targets: [backdoor],
            before: ModelAnswers(of: original, on: images), token: try CancellationToken())
        return try refinement.refine(&pool, with: ModelAnswers(of: sanitised, on: images))
    }
}
