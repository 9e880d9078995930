/// How far a model's predictions agree with the labels that a data set gives, on a random sample of it. A wrong order of the
/// classes or a wrong scaling shows here. Names are those of the REST API.
public struct Agreement: Codable, Hashable, Sendable {
    /// Of the samples of one class.
    public struct ClassAgreement: Codable, Hashable, Sendable {
        /// The output that the class stands for.
        public var label: Int
        public var name: String
        public var samples: Int
        /// The share of them that are predicted as this output: 0 to 1.
        public var share: Double
        /// The output that most of the others are predicted as, and the share of the samples that are; nil where all agree.
        public var otherLabel: Int?
        public var otherName: String?
        public var otherShare: Double?

        public init(
            label: Int, name: String, samples: Int, share: Double, otherLabel: Int? = nil,
            otherName: String? = nil,
            otherShare: Double? = nil
        ) {
            self.label = label
            self.name = name
            self.samples = samples
            self.share = share
            self.otherLabel = otherLabel
            self.otherName = otherName
            self.otherShare = otherShare
        }

        enum CodingKeys: String, CodingKey {
            case label, name, samples, share
            case otherLabel = "other_label"
            case otherName = "other_name"
            case otherShare = "other_share"
        }
    }

    /// Images that the model was asked about.
    public var samples: Int
    /// The share of the data set whose predictions equal the given labels, as the sample estimates it: classes count by
    /// their size.
    public var share: Double
    /// The share that the model itself promises: its mean confidence (largest softmax probability) on the same images.
    public var promised: Double
    /// How the order of the classes is known.
    public var classOrder: ClassOrder.Source
    public var classes: [ClassAgreement]
    /// What was found wrong, in words, and was accepted by the user (`accept_disagreement`).
    public var accepted: String?

    public init(
        samples: Int, share: Double, promised: Double, classOrder: ClassOrder.Source,
        classes: [ClassAgreement],
        accepted: String? = nil
    ) {
        self.samples = samples
        self.share = share
        self.promised = promised
        self.classOrder = classOrder
        self.classes = classes
        self.accepted = accepted
    }

    enum CodingKeys: String, CodingKey {
        case samples, share, promised, classes, accepted
        case classOrder = "class_order"
    }
}

/// A scaling of the images with which the model's predictions agree better with the labels.
public struct SuggestedScaling: Codable, Hashable, Sendable {
    /// What `options.input` would be.
    public var input: InputScaling
    /// Its name, where it has one.
    public var preset: ScalingPreset?
    /// Images that it was tested on: none of those that it was found on.
    public var samples: Int
    /// The share of them that agree with it, and with the scaling that was given: 0 to 1.
    public var share: Double
    public var givenShare: Double

    public init(
        input: InputScaling, preset: ScalingPreset?, samples: Int, share: Double, givenShare: Double
    ) {
        self.input = input
        self.preset = preset
        self.samples = samples
        self.share = share
        self.givenShare = givenShare
    }

    enum CodingKeys: String, CodingKey {
        case input, preset, samples, share
        case givenShare = "given_share"
    }
}

/// An order of a data set's classes, and how well it fits what the model predicts.
public struct SuggestedOrder: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// Sorted without regard to upper and lower case.
        case caseInsensitive = "case_insensitive"
        /// Sorted with the numbers in the names by their value: 1, 2, … 10.
        case natural
        /// The names are the outputs' numbers.
        case numbers
        /// The names are the outputs' numbers, counted from 1.
        case numbersFromOne = "numbers_from_1"
        /// The names, sorted byte by byte.
        case sorted
        /// What the predictions themselves suggest: the assignment with the most agreement.
        case assignment
    }

    public var kind: Kind
    /// The share of the sample's images that agree with it: 0 to 1.
    public var share: Double
    /// Class folder to model output: what `options.classes` would be.
    public var classes: [String: Int]

    public init(kind: Kind, share: Double, classes: [String: Int]) {
        self.kind = kind
        self.share = share
        self.classes = classes
    }
}
