import Execution
import Support
import Tensors

/// The loss of a fine-tuning, or a weight after it, is no number any more: that attempt failed.
struct TrainingDiverged: Error, Hashable {
    var step: Int
}

/// Fine-tunes a model on trusted samples, a part of them with a transplanted trigger, and on flagged samples
/// with their restored labels.
///
/// SGD with Nesterov momentum under a one-cycle schedule. Trusted samples learn their given label mixed with
/// what the suspicious model says of the untouched image: the function stays where it was, but for the trigger.
struct FineTuning {
    let images: LabelledImages
    /// What the suspicious model says: the teacher on trusted samples.
    let teacher: ModelAnswers
    let token: CancellationToken
    var steps: Int
    var learningRate: Double
    let seed: UInt64
    /// Images of a step.
    var batch = 128
    /// Images of which the gradient is taken at once; nil for as many as memory allows.
    var mostTogether: Int?
    /// Whether half of the images are mirrored.
    let mirrors: Bool
    /// Images that the user vouches for, if there are any: a part of every batch.
    var lesson: TrustedImages.Lesson?
    /// Told of every step.
    var curves: CurveRecorder?

    /// Shares of a batch: flagged samples, and of the trusted ones those that get a trigger.
    private static let poisonShare = 0.2
    private static let transplantShare = 0.5
    /// Share of a batch's trusted samples that the user's own are, where there are enough of them.
    private static let lessonShare = 0.25
    private static let teacherWeight = 0.5
    private static let poisonWeight = 0.4

    /// Trains `model` in place.
    ///
    /// - Parameter material: its restored labels are those of `pool.poison`, in order.
    /// - Throws: `TrainingDiverged`; `Problem` `no-trusted-samples`.
    func run(
        _ model: GraphModel, pool: TrainingPool, material: TrainingMaterial, progress: (Double) -> Void
    ) throws {
        guard !pool.clean.isEmpty else {
            throw Problem(
                .unprocessable, code: "no-trusted-samples", title: "No sample of the data set can be trusted",
                detail: "Every sample is flagged, or predicted as another class than its label says.",
                fix: "check the labels, the order of the classes and the input scaling")
        }
        var random = SplitMix64(seed: seed)
        let optimiser = try SGD(model.parameters, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
        let schedule = OneCycleSchedule(maximum: learningRate, steps: steps)
        let poisonCount =
            material.restored == nil || pool.poison.isEmpty ? 0 : Int(Double(batch) * Self.poisonShare)
        let cleanCount = batch - poisonCount
        for step in 0..<steps {
            try token.check()
            let batch = try drawBatch(
                of: pool, material, clean: cleanCount, poison: poisonCount, using: &random)
            let (value, gradients) = try gradients(of: model, on: batch, clean: cleanCount)
            guard value.isFinite else { throw TrainingDiverged(step: step + 1) }
            try optimiser.step(gradients, learningRate: schedule.learningRate(step: step))
            try curves?.take(step: step + 1, loss: value, of: model)
            progress(Double(step + 1) / Double(steps))
        }
        guard try Self.areFinite(model.parameters) else { throw TrainingDiverged(step: steps) }
    }

    /// What a step is taken on: images (n, C, H, W), class probabilities (n, classes), and each image's weight.
    private typealias Batch = (inputs: Tensor, targets: Tensor, weights: [Float])

    /// The loss of a batch, and its gradients, which are summed over parts where all at once would take too much memory. Each part
    /// has every so-many-th image, and so as much of every kind as the others.
    private func gradients(
        of model: GraphModel, on batch: Batch, clean cleanCount: Int
    ) throws -> (loss: Double, gradients: [Tensor]) {
        let count = batch.weights.count
        let most = mostTogether ?? images.batches.learned
        let parts = (count + most - 1) / most
        var (sum, gradients) = (0.0, [Tensor]())
        for part in 0..<parts {
            let rows = Array(stride(from: part, to: count, by: parts))
            let (inputs, targets) =
                parts == 1
                ? (batch.inputs, batch.targets) : try (batch.inputs.rows(rows), batch.targets.rows(rows))
            let logits = try model.forward(
                inputs.channelsLast(), mode: .training, precision: .reduced, token: token)
            let losses = try -(logits.logSoftmax(1) * targets).sum([1])
            let loss = try (losses * Tensor(rows.map { batch.weights[$0] })).sum() / Double(cleanCount)
            sum += try Double(loss.item(as: Float.self))
            guard sum.isFinite else { break }
            let found = try Autograd.gradients(of: loss, withRespectTo: model.parameters)
            gradients = gradients.isEmpty ? found : try zip(gradients, found).map { try $0 + $1 }
        }
        return (sum, gradients)
    }

    private func drawBatch(
        of pool: TrainingPool, _ material: TrainingMaterial, clean cleanCount: Int, poison poisonCount: Int,
        using random: inout SplitMix64
    ) throws -> Batch {
        let transplant = material.transplant
        let padding = min(4, images.dataset.height / 8, images.dataset.width / 8)
        let lessonCount = min(lesson?.samples.count ?? 0, Int(Double(cleanCount) * Self.lessonShare))
        let chosen = (0..<cleanCount - lessonCount).map { _ in
            pool.clean[Int.random(in: pool.clean.indices, using: &random)]
        }
        var inputs = try images.batch(chosen)
        var labels = chosen.map { images.labels[$0] }
        var taught = try teacher.probabilities(chosen)
        if let lesson, lessonCount > 0 {
            let drawn = lesson.draw(lessonCount, using: &random)
            inputs = try Tensor.cat([inputs, lesson.images.batch(drawn.map { lesson.samples[$0] })])
            labels += drawn.map { lesson.images.labels[lesson.samples[$0]] }
            taught = try Tensor.cat([taught, lesson.teacher.rows(drawn)])
        }
        inputs = try inputs.randomlyCroppedAndFlipped(
            padding: padding, flip: mirrors, reflect: true, using: &random)
        let stamped = transplant.isEmpty ? 0 : Int(Double(cleanCount) * Self.transplantShare)
        if stamped > 0 {
            let triggered = try transplant.apply(
                to: inputs.rows(0..<stamped), labels: Array(labels.prefix(stamped)), using: &random)
            inputs = try Tensor.cat([triggered, inputs.rows(stamped..<cleanCount)])
        }
        let given = try Tensor(labels).oneHot(classes: images.classes)
        var targets = try taught * Self.teacherWeight + given * (1 - Self.teacherWeight)
        var weights = [Float](repeating: 1, count: cleanCount)
        if poisonCount > 0, let restored = material.restored {
            let rows = (0..<poisonCount).map { _ in Int.random(in: pool.poison.indices, using: &random) }
            inputs = try Tensor.cat([inputs, images.batch(rows.map { pool.poison[$0] })])
            targets = try Tensor.cat([targets, restored.rows(rows)])
            weights += [Float](
                repeating: Float(Self.poisonWeight) * Float(cleanCount) / Float(poisonCount),
                count: poisonCount)
        }
        return (inputs, targets, weights)
    }

    private static func areFinite(_ parameters: [Tensor]) throws -> Bool {
        try parameters.allSatisfy { try $0.detach().sum().item(as: Float.self).isFinite }
    }
}
