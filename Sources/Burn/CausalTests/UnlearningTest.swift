import Execution
import Support
import Tensors

/// Asks, by training, whether a part of a class is held in it by something that can be unlearned.
///
/// A copy of the model is tuned for a few steps: one half of the suspected samples gets its adversarial labels,
/// one half of the class's others keeps the class. Then the other halves are looked at. Poisoned samples share
/// one cause, so the unseen half takes on its adversarial labels too (its content), while the class's others
/// stay. Samples that truly belong to the class have nothing that tells them from the others, and no content
/// that calls for another label: either they stay, or the others leave with them.
struct UnlearningTest {
    let model: GraphModel
    let images: LabelledImages
    let labelled: LabelledSamples
    let boundary: BoundaryAnalysis
    private let teacher: ModelAnswers
    private let mirrors: Bool
    let seed: UInt64
    let token: CancellationToken

    struct Outcome: Sendable {
        /// Share of the suspected samples of the unseen half that take on their adversarial label.
        var adopted: Double
        /// Share of the class's other samples of the unseen half that stay.
        var kept: Double
        /// Samples of the class that leave it when the model has not been trained on them.
        var leaving: Set<Int>
        /// Samples that were asked about.
        var tested: Set<Int>

        var leavingShare: Double { Double(leaving.count) / Double(max(tested.count, 1)) }

        /// 0 to 2.
        var score: Double { adopted + kept }
    }

    /// The score of one of the two parts of a class as the suspects, of whom so many were asked.
    typealias Side = (asked: Int, score: Double)

    init(
        model: GraphModel, images: LabelledImages, labelled: LabelledSamples, boundary: BoundaryAnalysis,
        seed: UInt64, token: CancellationToken
    ) throws {
        self.model = model
        self.images = images
        self.labelled = labelled
        self.boundary = boundary
        self.seed = seed
        self.token = token
        teacher = try ModelAnswers(of: model, on: images, token: token)
        let predicted = boundary.table.predicted
        mirrors = try Mirroring.keepsMeaning(
            model, images, labelled.all.filter { Int(predicted[$0]) == images.labels[$0] }, token: token)
    }

    /// Classes above suspicion that the test is run on as well, for its null.
    static let nullClasses = 3

    /// Of one bundle's score against those of others.
    /// - Parameter suspects: samples of the bundle, of which one half or more is a share in the score, beside another share.
    static func pValue(of score: Double, against null: [Double], suspects: Int) -> Double {
        Statistics.pValue(of: score, against: null, chance: 1 / Double(max(1, suspects)).squareRoot())
    }

    /// The smallest p-value that a score can still get once the null has `count` values, whatever those yet to come are.
    static func leastPValue(of score: Double, against null: [Double], of count: Int, suspects: Int) -> Double
    {
        let unknown = count - null.count
        guard unknown > 0 else { return pValue(of: score, against: null, suspects: suspects) }
        // Of values with a given mean, equal ones spread least.
        return (0...mostScore * grid).map { step in
            let value = Double(step) / Double(grid)
            return pValue(
                of: score, against: null + Array(repeating: value, count: unknown), suspects: suspects)
        }.min() ?? 1
    }

    static let mostScore = 2
    private static let grid = 100

    static let steps = 40
    /// Images of a step: enough for a score. Telling each sample takes twice as many.
    static let batch = 64
    static let batchForNames = 2 * batch
    private static let learningRate = 0.01
    /// Of the clean part of a batch: how much comes from the class under test.
    private static let classShare = 0.25
    private static let fewest = 16

    /// `suspects`: the members of class `label` under suspicion. With both `folds`, every member is judged by a
    /// model that was not trained on it; one is enough for a score. Nil where there are too few samples, or the tuning diverges.
    /// - Parameters:
    ///   - samples: of which it is known whether they are suspects; nil for all.
    ///   - batch: images of a step.
    func run(
        label: Int, suspects: Set<Int>, among samples: [Int]? = nil, folds: Int, batch: Int = batch
    ) throws -> Outcome? {
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let predicted = boundary.table.predicted
        let members = (samples ?? labelled[label]).filter {
            images.labels[$0] == label && Int(predicted[$0]) == label
        }.shuffled(using: &random)
        let (bundle, rest) = (members.filter(suspects.contains), members.filter { !suspects.contains($0) })
        guard bundle.count >= 2 * Self.fewest, rest.count >= 2 * Self.fewest else { return nil }
        let others = labelled.all.filter {
            images.labels[$0] != label && Int(predicted[$0]) == images.labels[$0]
        }
        guard others.count >= Self.fewest else { return nil }
        try boundary.analyse(bundle)
        let table = boundary.table
        var (adopted, kept) = (0, 0)
        var outcome = Outcome(adopted: 0, kept: 0, leaving: [], tested: [])
        var asked = (bundle: 0, rest: 0)
        for fold in 0..<folds {
            func half(_ samples: [Int], _ wanted: Int) -> [Int] {
                samples.enumerated().filter { $0.offset % 2 == wanted }.map(\.element)
            }
            let tuned = try unlearned(
                half(bundle, fold), table, keeping: half(rest, fold), others: others, fold,
                batch)
            guard let tuned else { return nil }
            for (samples, isSuspect) in [(half(bundle, 1 - fold), true), (half(rest, 1 - fold), false)] {
                let after = try tuned.predictions(images, samples, token: token)
                for (sample, now) in zip(samples, after) {
                    outcome.tested.insert(sample)
                    if now != label { outcome.leaving.insert(sample) }
                    if isSuspect, now == Int(table.adversarialLabel[sample]) { adopted += 1 }
                    if !isSuspect, now == label { kept += 1 }
                }
                if isSuspect { asked.bundle += samples.count } else { asked.rest += samples.count }
            }
        }
        outcome.adopted = Double(adopted) / Double(max(asked.bundle, 1))
        outcome.kept = Double(kept) / Double(max(asked.rest, 1))
        return outcome
    }

    /// How well one of a class's two parts is unlearned: its bundle (0), or what is beside it (1). The class's own images may be more
    /// alike than poison is. Nil for too few samples.
    func side(_ place: Int, of coherence: ClassCoherence, label: Int) throws -> Side? {
        let predicted = boundary.table.predicted
        let sides = coherence.sides
        let (side, others) = (sides[place], sides[1 - place])
        var random = SplitMix64(seed: seed &+ UInt64(label))
        let asked = side.filter { images.labels[$0] == label && Int(predicted[$0]) == label }
            .shuffled(using: &random).prefix(Self.mostForScore)
        return try run(label: label, suspects: Set(asked), among: asked + others, folds: 1).map {
            (asked.count, $0.score)
        }
    }

    /// A share of half of them is told to 4 %, which is less than classes differ by nature.
    static let mostForScore = 256

    private func unlearned(
        _ suspects: [Int], _ table: AnalysisTable, keeping rest: [Int], others: [Int],
        _ fold: Int, _ batch: Int
    ) throws -> GraphModel? {
        let tuned = try model.copy(seed: seed &+ UInt64(fold))
        let repeats = Double(others.count) * Self.classShare / (1 - Self.classShare) / Double(rest.count)
        let kept = Array(repeatElement(rest, count: max(1, Int(repeats.rounded())))).flatMap { $0 }
        let labels = suspects.map { table.metLabel($0).map { ClassOpinion(certain: $0) } ?? ClassOpinion() }
        var tuning = FineTuning(
            images: images, teacher: teacher, token: token, steps: Self.steps,
            learningRate: Self.learningRate, seed: seed &+ UInt64(fold),
            mirrors: mirrors)
        tuning.batch = batch
        do {
            try tuning.run(
                tuned, pool: TrainingPool(clean: others + kept, holdout: [], poison: suspects),
                material: TrainingMaterial(
                    restored: SoftLabels(opinions: labels, classes: images.classes), transplant: .none)
            ) { _ in }
        } catch is TrainingDiverged {
            return nil
        }
        return tuned
    }
}
