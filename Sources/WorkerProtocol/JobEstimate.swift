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
    /// Of one forward, on the processors that the model was probed on.
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
        batches = BatchSizes(count: dataset.samples, values: values, activationBytes: pass.activationBytes)
        secondsOfPass = pass.seconds
        passes = Self.passes(
            type, options, samples: dataset.samples, classes: dataset.classes.count,
            further: further.reduce(0) { $0 + Double($1.samples) })
    }

    private static func passes(
        _ type: JobType, _ options: JobOptions, samples: Int, classes: Int, further: Double
    ) -> Double {
        let each = options.analysesAllSamples ? passesOfAnalysed : passesOfSample
        var passes = each * Double(samples) + searches + searchesOfClass * Double(classes)
        // Before, and after.
        passes += 2 * further
        if type == .purify {
            let steps = stepsOfDecoupling + stepsOfRound * Double(options.rounds)
            passes += Double(BatchSizes.ofPurification(samples: samples)) * steps * passesOfTraining
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

    /// The same for its time: twice what it is expected to take.
    public var minutes: Int {
        let seconds = Self.secondsOfStart + 2 * passes * secondsOfPass
        return max(Self.fewestMinutes, Int(exactly: (seconds / 60).rounded(.up)) ?? .max)
    }

    private static let roomForSearches = 1 << 30
    private static let fewestMinutes = 15
    /// libtorch, the model, the look at every image's bytes.
    private static let secondsOfStart = 120.0

    /// Forwards: a gradient, twice, of those that are surveyed, one of all others.
    private static let passesOfSample = 3.0
    /// With `analysis: full`: descents of all.
    private static let passesOfAnalysed = 24.0
    /// The most that the scans of docs/results.md took beside that, of sets of 2,500 to 50,000 images.
    private static let searches = 450_000.0
    private static let searchesOfClass = 400.0
    /// Steps of a purification, and what one takes for each image of its batch: training, and the teacher's opinion.
    private static let stepsOfDecoupling = 400.0
    private static let stepsOfRound = 300.0
    private static let passesOfTraining = 4.35
}
