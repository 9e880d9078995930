/// What one stage of a job cost.
public struct StageCost: Codable, Hashable, Sendable {
    /// In the order in which they run.
    public enum Stage: String, Codable, Hashable, Sendable, CaseIterable {
        /// Whether predictions and given labels agree.
        case agreement
        /// One gradient of some samples of every label.
        case survey
        /// One forward of the others.
        case predictions
        /// Descents of every sample, where that is asked for.
        case descents
        case bundles, triggers
        case featureChanges = "feature_changes"
        case classPatterns = "class_patterns"
        case commonPatterns = "common_patterns"
        case styles, features
        /// One gradient of those samples of classes under suspicion that the survey left out.
        case completion
        /// Descents of the samples under suspicion and of some to compare with.
        case distances
        /// Restored labels, and what the purified models are held against.
        case preparation
        case decoupling, refinement
        /// On the user's sets, restored labels of what is not purified, and the files that are written.
        case evaluation
    }

    public var phase: Phase
    /// 0 outside refinement; there the round, from 1.
    public var round: Int
    public var stage: Stage
    /// Samples that went through the model for their outputs alone.
    public var forwards: Int
    /// Samples that went through it for the gradient of the input.
    public var gradients: Int
    /// Samples that it was trained on, once for each time.
    public var trainingSamples: Int
    public var seconds: Double
    /// Bytes of images that were read for it.
    public var bytesRead: Int
    /// The most memory that the worker has had by its end, in bytes.
    public var peakMemory: Int

    public init(
        phase: Phase, round: Int = 0, stage: Stage, forwards: Int = 0, gradients: Int = 0,
        trainingSamples: Int = 0, seconds: Double = 0, bytesRead: Int = 0, peakMemory: Int = 0
    ) {
        self.phase = phase
        self.round = round
        self.stage = stage
        self.forwards = forwards
        self.gradients = gradients
        self.trainingSamples = trainingSamples
        self.seconds = seconds
        self.bytesRead = bytesRead
        self.peakMemory = peakMemory
    }

    /// What was spent on the same stage later on.
    public mutating func add(_ later: StageCost) {
        forwards += later.forwards
        gradients += later.gradients
        trainingSamples += later.trainingSamples
        seconds += later.seconds
        bytesRead += later.bytesRead
        peakMemory = max(peakMemory, later.peakMemory)
    }

    enum CodingKeys: String, CodingKey {
        case phase, round, stage, forwards, gradients, seconds
        case trainingSamples = "training_samples"
        case bytesRead = "bytes_read"
        case peakMemory = "peak_memory"
    }
}
