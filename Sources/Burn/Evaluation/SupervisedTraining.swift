import Execution
import Support
import Tensors

/// Plain training of a classifier on a labelled set: SGD with Nesterov momentum under a one-cycle schedule,
/// every sample once an epoch in random order. For demonstrations and for evaluating the method.
public struct SupervisedTraining {
    public var images: LabelledImages
    public var epochs: Int
    public var learningRate: Double
    public var seed: UInt64
    public var token: CancellationToken?
    public var batch = 128
    /// Pixels of random shift, and whether half of the images are mirrored; nil: images as they are.
    public var augmentation: (padding: Int, flip: Bool)?

    public init(
        images: LabelledImages, epochs: Int, learningRate: Double, seed: UInt64,
        token: CancellationToken? = nil
    ) {
        self.images = images
        self.epochs = epochs
        self.learningRate = learningRate
        self.seed = seed
        self.token = token
    }

    /// Trains in place; `progress` gets the share done and the batch's loss.
    public func run(_ model: GraphModel, progress: (Double, Double) throws -> Void = { _, _ in }) throws {
        var random = SplitMix64(seed: seed)
        let perEpoch = max(1, images.count / batch)
        let steps = max(1, epochs * perEpoch)
        let optimiser = try SGD(model.parameters, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
        let schedule = OneCycleSchedule(maximum: learningRate, steps: steps)
        var order: [Int] = []
        for step in 0..<steps {
            if order.count < min(batch, images.count) {
                order = Array(0..<images.count).shuffled(using: &random)
            }
            let chosen = Array(order.suffix(batch))
            order.removeLast(chosen.count)
            var batch = try images.batch(chosen)
            if let augmentation {
                batch = try batch.randomlyCroppedAndFlipped(
                    padding: augmentation.padding, flip: augmentation.flip, using: &random)
            }
            let logits = try model.forward(batch, mode: .training, token: token)
            let loss = try logits.crossEntropy(images.labels(chosen))
            let gradients = try Autograd.gradients(of: loss, withRespectTo: model.parameters)
            try optimiser.step(gradients, learningRate: schedule.learningRate(step: step))
            try progress(Double(step + 1) / Double(steps), Double(loss.item(as: Float.self)))
        }
    }
}
