import Findings

/// Tasks of demonstrations and benchmarks: they make and measure the models that the service is tried on.
extension WorkerTask {
    /// What training does to each image of a batch.
    public struct Augmentation: Codable, Hashable, Sendable {
        /// Pixels that an image is shifted by at most, in both directions (random crop after zero padding).
        public var padding: Int
        /// Mirror half of the images left to right.
        public var flip: Bool

        public init(padding: Int, flip: Bool) {
            self.padding = padding
            self.flip = flip
        }
    }

    /// Train a model file on a packed data set.
    public struct Train: Codable, Hashable, Sendable {
        public var model: String
        public var dataset: String
        public var options: JobOptions
        public var epochs: Int
        public var learningRate: Double
        public var augmentation: Augmentation?
        /// Draw new initial weights, seeded by the options' seed, instead of training on from the file's.
        public var initialise: Bool
        /// The trained model's file name in `outputDirectory`.
        public var output: String

        public init(
            model: String, dataset: String, options: JobOptions, epochs: Int, learningRate: Double,
            augmentation: Augmentation? = nil, initialise: Bool = false, output: String
        ) {
            self.model = model
            self.dataset = dataset
            self.options = options
            self.epochs = epochs
            self.learningRate = learningRate
            self.augmentation = augmentation
            self.initialise = initialise
            self.output = output
        }
    }

    /// Measure ACC on a clean set, ASR and RA on a triggered one, answer with `.evaluation` (its `before`).
    public struct Evaluate: Codable, Hashable, Sendable {
        public var model: String
        /// Packed data set folders with true labels.
        public var clean: String?
        public var triggered: String?
        /// The attack's target class; nil for all-to-all.
        public var target: Int?
        public var options: JobOptions

        public init(model: String, clean: String?, triggered: String?, target: Int?, options: JobOptions) {
            self.model = model
            self.clean = clean
            self.triggered = triggered
            self.target = target
            self.options = options
        }
    }

    /// Move images away from their labels by projected gradient descent (Madry et al., ICLR 2018) within an
    /// L-infinity ball, and write them as a packed data set into `outputDirectory`, in the order of
    /// `samples`.
    public struct Perturb: Codable, Hashable, Sendable {
        public var model: String
        /// Packed data set folder.
        public var dataset: String
        public var samples: [Int]
        /// Radius and step in units of 1 / 255 of the pixel range.
        public var epsilon: Double
        public var step: Double
        public var steps: Int
        public var options: JobOptions

        public init(
            model: String, dataset: String, samples: [Int], epsilon: Double, step: Double, steps: Int,
            options: JobOptions
        ) {
            self.model = model
            self.dataset = dataset
            self.samples = samples
            self.epsilon = epsilon
            self.step = step
            self.steps = steps
            self.options = options
        }
    }
}
