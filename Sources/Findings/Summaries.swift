/// One of several copies of the weights in a file.
public struct WeightCopy: Codable, Hashable, Sendable {
    /// The keys that lead to it; `.` is the top of the file.
    public var name: String
    /// It is the one that is looked at.
    public var isAnalysed: Bool
    /// It has the values of the one that is looked at.
    public var isEqual: Bool

    public init(name: String, isAnalysed: Bool, isEqual: Bool) {
        self.name = name
        self.isAnalysed = isAnalysed
        self.isEqual = isEqual
    }

    enum CodingKeys: String, CodingKey {
        case name
        case isAnalysed = "analysed"
        case isEqual = "equal"
    }
}

/// What a checked model upload is, as shown to the user.
public struct ModelSummary: Codable, Hashable, Sendable {
    /// Such as `pt2`.
    public var format: String
    /// N, C, H, W; `null` stands for a dynamic batch, and for a height or width that is taken from the images.
    public var inputShape: [Int?]
    /// Such as `float32`.
    public var inputType: String
    /// Number of outputs.
    public var classes: Int
    public var parameters: Int
    /// Operator name to number of nodes.
    public var operators: [String: Int]
    /// What the file calls its outputs, one name each; nil where it does not say.
    public var classNames: [String]?
    /// Every copy of the weights in the file, where there is more than one, or one where readers would not look.
    public var weightCopies: [WeightCopy]?
    /// Tensors beside the weights that were made from them, such as an optimiser's moments: a purification replaces or
    /// clears them.
    public var derivedTensors: Int?
    /// Tensors beside the weights that are none of the network's, such as a loss's or a metric's: a purification keeps them
    /// as they are.
    public var keptTensors: [String]?
    /// Where the model returns several tensors: which one is taken for the logits.
    public var output: String?
    /// What is read in another way than the file has it.
    public var conversion: String?

    public init(
        format: String, inputShape: [Int?], inputType: String, classes: Int, parameters: Int,
        operators: [String: Int], classNames: [String]? = nil, weightCopies: [WeightCopy]? = nil,
        derivedTensors: Int? = nil
    ) {
        self.format = format
        self.inputShape = inputShape
        self.inputType = inputType
        self.classes = classes
        self.parameters = parameters
        self.operators = operators
        self.classNames = classNames
        self.weightCopies = weightCopies
        self.derivedTensors = derivedTensors
    }

    /// `inputShape` for people.
    public func inputSizes(by separator: String) -> String {
        inputShape.enumerated().map { $1.map(String.init) ?? ($0 == 0 ? "N" : "any") }.joined(
            separator: separator)
    }

    enum CodingKeys: String, CodingKey {
        case format, classes, parameters, operators
        case classNames = "class_names"
        case inputShape = "input_shape"
        case inputType = "input_type"
        case weightCopies = "weight_copies"
        case derivedTensors = "derived_tensors"
        case keptTensors = "kept_tensors"
        case output, conversion
    }
}

/// What an imported data set is, as shown to the user.
public struct DatasetSummary: Codable, Hashable, Sendable {
    public struct ClassCount: Codable, Hashable, Sendable {
        public var name: String
        public var samples: Int
        /// The number that the set gives the class, which is the model's output; nil for names alone.
        public var label: Int?

        public init(name: String, samples: Int, label: Int? = nil) {
            self.name = name
            self.samples = samples
            self.label = label
        }
    }

    /// An entry of the archive that was passed over, and why (at most the first 100 are kept).
    public struct SkippedEntry: Codable, Hashable, Sendable {
        public var name: String
        public var reason: String

        public init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    /// Such as `image-folder/tar.gz`.
    public var format: String
    public var samples: Int
    public var height: Int
    public var width: Int
    public var channels: Int
    /// In sorted order of name.
    public var classes: [ClassCount]
    public var skipped: [SkippedEntry]
    public var skippedTotal: Int
    /// Bytes of the packed array on disk.
    public var packedBytes: Int
    /// How the upload was read; nil for sets that were packed before this was kept.
    public var reading: SetReading?

    public init(
        format: String, samples: Int, height: Int, width: Int, channels: Int, classes: [ClassCount],
        skipped: [SkippedEntry], skippedTotal: Int, packedBytes: Int, reading: SetReading? = nil
    ) {
        self.format = format
        self.samples = samples
        self.height = height
        self.width = width
        self.channels = channels
        self.classes = classes
        self.skipped = skipped
        self.skippedTotal = skippedTotal
        self.packedBytes = packedBytes
        self.reading = reading
    }

    enum CodingKeys: String, CodingKey {
        case format, samples, height, width, channels, classes, skipped, reading
        case skippedTotal = "skipped_total"
        case packedBytes = "packed_bytes"
    }
}
