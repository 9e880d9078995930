import Findings

/// Tasks that make pictures for people to look at.
extension WorkerTask {
    /// Picture samples, what carries them over the boundary, and where they land there, by the descent of the
    /// boundary analysis; answer with `.rendered`. Files in `outputDirectory`: see `RenderedSample`.
    public struct Render: Codable, Hashable, Sendable {
        public var model: String
        public var skeleton: ModelSkeleton?
        /// Packed data set folder.
        public var dataset: String
        public var samples: [Int]
        public var options: JobOptions

        public init(
            model: String, skeleton: ModelSkeleton?, dataset: String, samples: [Int], options: JobOptions
        ) {
            self.model = model
            self.skeleton = skeleton
            self.dataset = dataset
            self.samples = samples
            self.options = options
        }
    }

    /// Write thumbnails of a packed data set that has none into `outputDirectory`.
    public struct Thumbnails: Codable, Hashable, Sendable {
        /// Packed data set folder.
        public var dataset: String

        public init(dataset: String) { self.dataset = dataset }
    }
}

/// What is shown of a sample.
public enum SampleView: String, Codable, Hashable, Sendable, CaseIterable {
    case original
    /// Amplified, around mid-grey.
    case perturbation
    case adversarial
}

/// What is shown of an estimated trigger.
public enum TriggerView: String, Codable, Hashable, Sendable, CaseIterable {
    /// On its own, amplified, around mid-grey.
    case direction
    /// An image of another class, without it and with it.
    case clean, stamped
}

/// A sample that was pictured.
public struct RenderedSample: Codable, Hashable, Sendable {
    public var index: Int
    /// Factor by which the picture of the perturbation shows it.
    public var amplification: Double
    /// The class on the other side.
    public var adversarialLabel: Int

    public init(index: Int, amplification: Double, adversarialLabel: Int) {
        self.index = index
        self.amplification = amplification
        self.adversarialLabel = adversarialLabel
    }

    /// PNG, in the output directory.
    public static func file(_ index: Int, _ view: SampleView) -> String { "\(index)-\(view.rawValue).png" }
}
