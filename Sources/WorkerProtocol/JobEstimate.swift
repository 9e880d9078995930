import Findings
import Support

/// What a job's task is expected to take, known before it starts: what a cluster is asked for.
///
/// Meant to be enough nearly always. A task that turns out to need more is given all that a task may have.
public struct JobEstimate: Codable, Hashable, Sendable {
    public var type: JobType
    /// Bytes of the model's weights.
    public var weights: Int
    public var batches: BatchSizes
    /// Forwards of one image, the most that jobs like this one took.
    public var passes: Double
    /// Of one forward, on one thread.
    public var secondsOfPass: Double

    /// - Parameters:
    ///   - dataset: the training set.
    ///   - further: the user's sets beside it.
    ///   - pass: nil for a model that an earlier version has probed.
    /// - Returns: nil where the pass is not known, or can't be.
    public init?(
        _ type: JobType, _ options: JobOptions, model: ModelSummary, pass: PassCost?, dataset: DatasetSummary,
        further: [DatasetSummary] = []
    ) {
        guard let pass = pass?.scaled(height: dataset.height, width: dataset.width),
            let values = Checked.product([dataset.channels, dataset.height, dataset.width]),
            let weights = Checked.product(max(0, model.parameters), 4), dataset.samples > 0
        else { return nil }
        self.type = type
        self.weights = weights
        let largest = ([dataset] + further).reduce(0) { max($0, $1.samples) }
        batches = BatchSizes(count: largest, values: values, activationBytes: pass.activationBytes)
        secondsOfPass = pass.seconds
        passes = Self.passes(
            type, options, dataset, further: further.reduce(0) { $0 + Double($1.samples) })
    }

    private static func passes(
        _ type: JobType, _ options: JobOptions, _ dataset: DatasetSummary, further: Double
    ) -> Double {
        let samples = Double(dataset.samples)
        let largest = Double(dataset.classes.map(\.samples).max() ?? dataset.samples)
        let descent = descents + (options.distance == .ddn ? descentsByDDN : 0)
        var passes = passesOfSample * samples + searches + searchesOfClass * Double(dataset.classes.count)
        // Before, and after.
        passes += 2 * further
        // Of a class under suspicion, or of all.
        passes += descent * (options.analysesAllSamples ? samples : largest)
        if type == .purify {
            let steps = mostTreatments * stepsOfDecoupling + Double(options.rounds) * stepsOfRound
            passes += Double(BatchSizes.ofPurificationByTransplants) * steps * passesOfTraining
            passes += Double(options.rounds) * samples
        }
        return passes
    }

    /// Of one that looks and does not train.
    public var ofScan: JobEstimate {
        var estimate = self
        estimate.type = .scan
        return estimate
    }

    /// What the task should be given: half as much again as it takes at least, and room for the searches, which took up to 1 GiB.
    /// - Parameter threads: that it may compute on.
    public func memoryBytes(threads: Int) -> Int {
        let need = MemoryNeed(type, weights: weights, batches, threads: threads).bytes
        return [need / 2, Self.roomForSearches].reduce(need) { Checked.sum($0, $1) ?? .max }
    }

    /// The same for its time, on processors of which half are taken to count: twice what its passes take.
    public func minutes(threads: Int) -> Int {
        let seconds = Self.secondsOfStart + 2 * passes * secondsOfPass / max(1, Double(threads) / 2)
        return max(Self.fewestMinutes, Int(exactly: (seconds / 60).rounded(.up)) ?? .max)
    }

    private static let roomForSearches = 1 << 30
    private static let fewestMinutes = 15
    /// libtorch, the model, the look at every image's bytes.
    private static let secondsOfStart = 120.0

    /// Forwards: one of all, and of those that are surveyed a gradient, and what that changes in the penultimate layer.
    private static let passesOfSample = 5.0
    /// Both descents of a sample, and DDN's gradients.
    private static let descents = 20.0
    private static let descentsByDDN = 80.0
    /// The most that the searches of docs/results.md took, of sets of 2,500 to 50,000 images.
    private static let searches = 500_000.0
    private static let searchesOfClass = 400.0
    /// Of a purification: what is tried until the gate holds, its steps, and what one takes for each image of its batch: training,
    /// and the teacher's opinion.
    private static let mostTreatments = 5.0
    private static let stepsOfDecoupling = 400.0
    private static let stepsOfRound = 200.0
    private static let passesOfTraining = 4.35
}
