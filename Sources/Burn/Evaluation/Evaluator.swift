import Execution
import Findings
import Synchronization
import Tensors

/// Measures ACC, ASR and RA on the user's evaluation sets. Nothing else ever looks at these.
public struct Evaluator: Sendable {
    public let clean: LabelledImages?
    public let triggered: LabelledImages?
    public let target: Int?

    public init(clean: LabelledImages?, triggered: LabelledImages?, target: Int?) {
        self.clean = clean
        self.triggered = triggered
        self.target = target
    }

    /// What a model sees in every image.
    public struct Answers: Sendable {
        public var clean: [Int]?
        public var triggered: [Int]?
    }

    /// - Parameter help: of workers that have the same model.
    package func ask(
        _ model: GraphModel, threads: Int, token: CancellationToken, help: (any BatchHelp)? = nil
    ) throws -> Answers {
        func predictions(_ images: LabelledImages, _ set: ImageSet) throws -> [Int] {
            let images = try images.measured(by: model)
            let found = Mutex([Int](repeating: 0, count: images.count))
            let stage = PredictionStage(
                stage: .evaluation, imageSet: set,
                prediction: Prediction(model: model, images: images, token: token)
            ) { findings in
                found.withLock { found in
                    for (row, sample) in findings.samples.enumerated() {
                        found[sample] = Int(findings.classes[0][row])
                    }
                }
            }
            try SampleBatches(of: images, threads: threads, token: token).run(
                Array(0..<images.count), of: stage, help: help, progress: { _ in })
            return found.withLock { $0 }
        }
        return Answers(
            clean: try clean.map { try predictions($0, .clean) },
            triggered: try triggered.map { try predictions($0, .triggered) })
    }

    /// - Parameter target: nil for an attack of all to all.
    package func metrics(of answers: Answers, target: Int?) -> EvaluationMetrics {
        var metrics = EvaluationMetrics()
        if let clean, let predictions = answers.clean {
            metrics.acc = Accuracy.clean(predictions: predictions, labels: clean.labels)
        }
        if let triggered, let predictions = answers.triggered {
            let rates = Accuracy.triggered(
                predictions: predictions, labels: triggered.labels, target: target,
                classes: triggered.classes)
            metrics.asr = rates.asr
            metrics.ra = rates.ra
        }
        return metrics
    }

    public func measure(
        _ model: GraphModel, threads: Int = 1, token: CancellationToken
    ) throws -> EvaluationMetrics {
        metrics(of: try ask(model, threads: threads, token: token), target: target)
    }
}
