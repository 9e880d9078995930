import Findings

/// Jobs that several workers share: the job's own, and helpers that take parts of its stages.
extension WorkerTask {
    /// How a job may be shared.
    public struct Sharing: Codable, Hashable, Sendable {
        /// Folder of the helpers' output directories, each named by the helper's number. Read only for the job's own worker.
        public var folder: String
        /// Helpers at the same time.
        public var helpers: Int
        /// Seconds that a stage must still need for helpers to be asked for.
        public var patience: Double

        public init(folder: String, helpers: Int, patience: Double) {
            self.folder = folder
            self.helpers = helpers
            self.patience = patience
        }
    }
}

/// A part of a stage: samples whose batches the job's own worker has cut.
public struct WorkerPart: Codable, Hashable, Sendable {
    /// Names its file, see `file`.
    public var number: Int
    public var stage: StageCost.Stage
    /// Of which the samples are.
    public var imageSet: ImageSet
    /// Whole batches, the last one of the data set aside.
    public var samples: [Int]
    /// Of each sample, what the stage starts from; empty where it starts from nothing.
    public var labels: [Int32]
    /// Threads that the operators of one batch use.
    public var threadsOfBatch: Int
    /// Whether passes are in reduced precision, as they are in the job's own worker.
    public var isReduced: Bool
    /// Parts whose files are not needed any more.
    public var taken: [Int]

    /// More would not be worth the wait for them.
    public static let mostSamples = 1 << 16

    public init(
        number: Int, stage: StageCost.Stage, imageSet: ImageSet = .training, samples: [Int], labels: [Int32],
        threadsOfBatch: Int,
        isReduced: Bool = false, taken: [Int]
    ) {
        self.number = number
        self.stage = stage
        self.imageSet = imageSet
        self.samples = samples
        self.labels = labels
        self.threadsOfBatch = threadsOfBatch
        self.isReduced = isReduced
        self.taken = taken
    }

    /// What was found of a part, in the helper's output directory.
    public static func file(_ number: Int) -> String { "part-\(number).bin" }
}

/// A part that a helper has finished, and what that took.
public struct WorkerPartEnd: Codable, Hashable, Sendable {
    public var number: Int
    public var forwards: Int
    public var gradients: Int
    public var bytesRead: Int

    public init(number: Int, forwards: Int, gradients: Int, bytesRead: Int) {
        self.number = number
        self.forwards = forwards
        self.gradients = gradients
        self.bytesRead = bytesRead
    }
}

/// What the service tells a worker after its task, one frame each, on its standard input.
public enum WorkerNotice: Codable, Hashable, Sendable {
    /// To the job's own worker: this helper is there, and computes on such a machine.
    case helper(Int, machine: String)
    case partFinished(helper: Int, WorkerPartEnd)
    /// What it has not finished is to be done by others.
    case helperEnded(Int)
    /// To a helper: the next part.
    case part(WorkerPart)
}
