/// What a person decided about one sample of a job. Names are those of the REST API.
public struct SampleReview: Codable, Hashable, Sendable {
    public enum Decision: String, Codable, Hashable, Sendable, CaseIterable {
        /// Poisoned, whatever the analysis says.
        case accept
        /// Clean, whatever the analysis says.
        case reject
        /// Poisoned, and its true label is known.
        case relabel
    }

    /// Position in the packed data set.
    public var index: Int
    public var decision: Decision
    /// The true label, an index of the model's outputs; set exactly for `relabel`.
    public var label: Int?

    public init(index: Int, decision: Decision, label: Int? = nil) {
        self.index = index
        self.decision = decision
        self.label = label
    }
}
