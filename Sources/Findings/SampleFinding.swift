/// What the analysis says of one training sample. Labels are indices of the model's outputs.
public struct SampleFinding: Codable, Hashable, Sendable {
    /// Position in the packed data set.
    public var index: Int
    /// The entry's path in the uploaded archive.
    public var name: String
    public var givenLabel: Int
    public var predictedLabel: Int
    /// L2 norm, in input units, of the smallest perturbation found that changes the prediction.
    public var boundaryDistance: Double
    /// The class the sample tends to when it is pushed over the boundary.
    public var adversarialLabel: Int
    /// Mean cosine of the sample's perturbation to those of its class: -1 to 1.
    public var coherence: Double
    /// The combined evidence that this sample is poisoned: 0 to 1.
    public var score: Double
    public var flagged: Bool
    /// The corrected label; the given one where the sample is not flagged.
    public var restoredLabel: Int

    public init(
        index: Int, name: String, givenLabel: Int, predictedLabel: Int, boundaryDistance: Double,
        adversarialLabel: Int, coherence: Double, score: Double, flagged: Bool, restoredLabel: Int
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
    }

    enum CodingKeys: String, CodingKey {
        case index, name, coherence, score, flagged
        case givenLabel = "given_label"
        case predictedLabel = "predicted_label"
        case boundaryDistance = "boundary_distance"
        case adversarialLabel = "adversarial_label"
        case restoredLabel = "restored_label"
    }
}
