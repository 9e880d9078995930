import Execution
import Findings
import Tensors

/// Follows a fine-tuning: the training loss, and at some steps accuracy and agreement with the suspicious model
/// on samples that are not trained on. Decides nothing.
///
/// Used by one thread. The same tuning gives the same points, so that a phase that is begun again replaces its
/// own.
final class CurveRecorder {
    private let images: LabelledImages
    /// Samples that are not trained on, with the suspicious model's predictions of them.
    private let probes: [Int]
    private let original: [Int]
    private let phase: Phase
    private let round: Int
    private let token: CancellationToken
    private let report: ([CurvePoint]) -> Void
    private let lossSteps: Int
    private let probeSteps: Int

    /// Steps of earlier attempts of the phase.
    private var before = 0
    private var last = 0
    private var losses: [Double] = []
    /// Everything so far, for the phase's journal.
    private(set) var points: [CurvePoint] = []
    private var reported = 0

    static let mostPoints = 200
    /// The same ones every time: what changes shows, whatever is left to chance in a single value.
    private static let mostProbes = 128
    private static let probings = 8
    /// Points that are reported together.
    private static let batch = 5

    /// - Parameters:
    ///   - steps: of one attempt.
    ///   - attempts: the most that the phase makes.
    ///   - original: the suspicious model's predictions, one for each of `holdout`.
    init(
        images: LabelledImages, holdout: [Int], original: [Int], phase: Phase, round: Int, steps: Int,
        attempts: Int, token: CancellationToken, report: @escaping ([CurvePoint]) -> Void
    ) {
        self.images = images
        probes = Array(holdout.prefix(Self.mostProbes))
        self.original = Array(original.prefix(Self.mostProbes))
        self.phase = phase
        self.round = round
        self.token = token
        self.report = report
        lossSteps = max(1, (steps * attempts + Self.mostPoints - 1) / Self.mostPoints)
        probeSteps = max(1, (steps + Self.probings - 1) / Self.probings)
    }

    /// The steps that follow are another attempt's.
    func beginAttempt() {
        before = last
        losses = []
    }

    /// After `step` (from 1) of the attempt.
    func take(step: Int, loss: Double, of model: GraphModel) throws {
        last = before + step
        losses.append(loss)
        if step % lossSteps == 0 {
            add("loss", losses.reduce(0, +) / Double(losses.count))
            losses = []
        }
        if step % probeSteps == 0 { try probe(model) }
        if points.count - reported >= Self.batch { flush() }
    }

    /// Reports what is left.
    func flush() {
        guard reported < points.count else { return }
        report(Array(points[reported...]))
        reported = points.count
    }

    private func probe(_ model: GraphModel) throws {
        guard !probes.isEmpty else { return }
        let predictions = try model.predictions(images, probes, token: token)
        let labels = probes.map { images.labels[$0] }
        add("accuracy", Accuracy.clean(predictions: predictions, labels: labels))
        add("agreement", Accuracy.clean(predictions: predictions, labels: original))
    }

    private func add(_ name: String, _ value: Double) {
        points.append(CurvePoint(phase: phase, round: round, name: name, step: last, value: value))
    }
}
