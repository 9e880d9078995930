/// What the analysis says of one training sample. Labels are indices of the model's outputs.
public struct SampleFinding: Codable, Hashable, Sendable {
    /// Position in the packed data set.
    public var index: Int
    /// The entry's path in the uploaded archive.
    public var name: String
    public var givenLabel: Int
    public var predictedLabel: Int
    /// L2 norm, in input units, of the smallest perturbation found that changes the prediction. Nil where none was looked for
    /// (`JobOptions.Analysis`).
    public var boundaryDistance: Double?
    /// The class the sample tends to when it is pushed over the boundary; nil where it was not.
    public var adversarialLabel: Int?
    /// Mean cosine of the sample's perturbation to those of its class: -1 to 1.
    public var coherence: Double
    /// The combined evidence that this sample is poisoned: 0 to 1.
    public var score: Double
    public var flagged: Bool
    /// The corrected label; the given one where the sample is not flagged.
    public var restoredLabel: Int
    /// Probability that the class which the sample shows best beside the trigger is its true one, measured on images of known
    /// labels under the same trigger. Below a half the given label is kept. Nil where nothing was estimated.
    public var labelConfidence: Double?

    public init(
        index: Int, name: String, givenLabel: Int, predictedLabel: Int, boundaryDistance: Double?,
        adversarialLabel: Int?, coherence: Double, score: Double, flagged: Bool, restoredLabel: Int,
        labelConfidence: Double? = nil
    ) {
        self.index = index
        self.name = name
        self.givenLabel = givenLabel
        self.predictedLabel = predictedLabel
        self.boundaryDistance = boundaryDistance
        self.adversarialLabel = adversarialLabel
        self.coherence = coherence
        self.score = score
        self.flagged = flagged
        self.restoredLabel = restoredLabel
        self.labelConfidence = labelConfidence
    }

    enum CodingKeys: String, CodingKey {
        case index, name, coherence, score, flagged
        case givenLabel = "given_label"
        case predictedLabel = "predicted_label"
        case boundaryDistance = "boundary_distance"
        case adversarialLabel = "adversarial_label"
        case restoredLabel = "restored_label"
        case labelConfidence = "label_confidence"
    }

    /// What is unknown is null, not absent.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(index, forKey: .index)
        try container.encode(name, forKey: .name)
        try container.encode(givenLabel, forKey: .givenLabel)
        try container.encode(predictedLabel, forKey: .predictedLabel)
        try container.encode(boundaryDistance, forKey: .boundaryDistance)
        try container.encode(adversarialLabel, forKey: .adversarialLabel)
        try container.encode(coherence, forKey: .coherence)
        try container.encode(score, forKey: .score)
        try container.encode(flagged, forKey: .flagged)
        try container.encode(restoredLabel, forKey: .restoredLabel)
        try container.encode(labelConfidence, forKey: .labelConfidence)
    }
}
