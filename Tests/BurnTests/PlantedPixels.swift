import Execution
import Findings
import Support
import Tensors
import TinyModels

@testable import Burn

/// A backdoored case whose truth is known: a linear model sees three classes through noise, and a white pixel sends
/// everything into class 0.
struct PlantedPixels {
    static let side = 6
    static let values = 3 * 36
    static let classes = 4

    let folder: ScratchFolder
    let model: GraphModel
    let images: LabelledImages
    /// Samples with the pixel, all of them labelled 0.
    let planted = Array(0..<300)
    /// Samples of the classes 1, 2, 3, as they are labelled.
    let ordinary = Array(300..<1200)
    /// True classes of the planted samples.
    let truth: [Int]
    var table: AnalysisTable
    /// Of class 0, with its trigger.
    var finding: ClassFinding

    /// - Parameters:
    ///   - sources: the true classes of planted samples, in turn.
    ///   - moved: which classes' images the trigger is said to move.
    init(sources: [Int] = [1, 2, 3], moved: [Int] = [1, 2, 3]) throws {
        var random = SplitMix64(seed: 11)
        var drawn = TinyImages(side: Self.side)
        func draw(_ label: Int, given: Int, pixel: Bool) {
            var levels = (0..<Self.values).map { _ in random.uniform(0.25..<0.75) }
            levels[3 * (10 + label)] += 0.1
            if pixel { for channel in 0..<3 { levels[channel] = 0.95 } }
            drawn.add(levels.map { UInt8(($0 * 255).rounded()) }, label: given)
        }
        truth = (0..<300).map { sources[$0 % sources.count] }
        for label in truth { draw(label, given: 0, pixel: true) }
        for order in 0..<900 { draw(1 + order % 3, given: 1 + order % 3, pixel: false) }
        var weights = [Float](repeating: 0, count: Self.classes * Self.values)
        for channel in 0..<3 { weights[36 * channel] = 20 }
        // What a shift by 0.1 beside noise of this width says, in logits.
        for label in 1..<Self.classes { weights[label * Self.values + 10 + label] = 4.8 }
        folder = try ScratchFolder()
        model = try TinyGraph.linear(
            weight: Tensor(weights, shape: [Self.classes, Self.values]),
            bias: Tensor([-48, 0, 0, 0] as [Float]), channels: 3, side: Self.side)
        images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        table = AnalysisTable(count: images.count)
        table.linearDistance = table.linearDistance.map { _ in 1 }
        for sample in planted { (table.predicted[sample], table.adversarialLabel[sample]) = (0, 0) }
        for sample in ordinary { table.predicted[sample] = Int32(images.labels[sample]) }
        finding = ClassFinding(label: 0, judge: .standard)
        finding.conclude(.backdoored, from: .perturbations)
        let rate = Double(moved.count) / 3
        finding.effect = TriggerEffect(
            form: AffineValues.at(1), rate: rate, random: 0, topSource: moved[0], topSourceRate: 1,
            topSourceRandom: 0, tested: 300)
        // Images that show the same as the planted ones, so that the estimate is of the pixel alone.
        let labels = images.labels
        let alike = ordinary.filter { sources.contains(labels[$0]) }
        finding.trigger = try TriggerEstimate(
            TriggerMaterial(
                boundary: Tensor.zeros([3, Self.side, Self.side]), suspects: Moments(images, planted),
                reference: Moments(images, alike), lowest: images.lowest, highest: images.highest))
    }

    /// The first partition, with every planted sample flagged.
    func pool() -> TrainingPool {
        var diagnosis = diagnosis
        diagnosis.flagged = images.labels.indices.map { $0 < planted.count }
        return TrainingPool(diagnosis, table: table, images: images, seed: 3)
    }

    /// As the detection gives it, with nothing flagged.
    var diagnosis: Diagnosis {
        Detection.Outcome(of: images, findings: [finding]).diagnosis
    }

    /// What is to be removed, ready for use.
    func targets() throws -> [Target] {
        let store = try store()
        return try diagnosis.backdoors.map { try Target($0, images: images, store: store) }
    }

    /// Perturbations that are not asked for.
    func store() throws -> PerturbationStore {
        try PerturbationStore(path: folder.file("p"), samples: images.count, values: Self.values)
    }

    func gate(_ pool: TrainingPool) throws -> AcceptanceGate {
        AcceptanceGate(
            images: images, targets: try targets(), holdout: pool.holdout, flagged: pool.poison,
            parameters: Parameters(), token: try CancellationToken())
    }

    /// Of the suspicious model, or of another.
    func answers(of other: GraphModel? = nil) throws -> ModelAnswers {
        try ModelAnswers(of: other ?? model, on: images)
    }

    func tuning(of model: GraphModel? = nil, steps: Int = 120, rate: Double = 0.02) throws -> FineTuning {
        var tuning = FineTuning(
            images: images,
            teacher: try ModelAnswers(of: model ?? self.model, on: images),
            token: try CancellationToken(), steps: steps, learningRate: rate, seed: 5, mirrors: false)
        tuning.batch = 64
        return tuning
    }

    /// True labels of the pool's flagged samples, as probabilities, and the pixel for every trusted sample.
    func material(_ pool: TrainingPool) throws -> TrainingMaterial {
        TrainingMaterial(
            restored: SoftLabels(
                opinions: pool.poison.map { ClassOpinion(certain: truth[$0]) }, classes: Self.classes),
            transplant: Transplant(try targets()))
    }

    /// The share of the planted samples that a model still sees as class 0.
    func stillPlanted(_ model: GraphModel) throws -> Double {
        let seen = try model.predictions(images, planted)
        return Double(seen.count { $0 == 0 }) / Double(planted.count)
    }
}
