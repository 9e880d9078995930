/// The trigger that was estimated for one class.
public struct TriggerFinding: Codable, Hashable, Sendable {
    /// The mechanism that works best. An open set: a service may know more of them than its client.
    public struct Form: RawRepresentable, Codable, Hashable, Sendable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Minus the mean perturbation of the class's cluster, added.
        public static let boundary = Form(rawValue: "boundary")
        /// What matches the cluster's per-value mean and deviation: x ↦ a·x + s.
        public static let moments = Form(rawValue: "moments")
    }

    /// Model output index.
    public var label: Int
    public var name: String
    public var form: Form
    /// Share of other classes' images that it sends into the class, beside a random direction's of the same
    /// norm.
    public var effect: Double
    public var random: Double
    /// Factor by which the picture of its direction shows it; mid-grey is no change.
    public var amplification: Double

    public init(
        label: Int, name: String, form: Form, effect: Double, random: Double, amplification: Double
    ) {
        self.label = label
        self.name = name
        self.form = form
        self.effect = effect
        self.random = random
        self.amplification = amplification
    }
}
