/// What a job's verdict will be, before its analysis has ended: backdoored. Which samples were planted, how certain that is, and
/// whether other classes are targets too, the verdict says.
public struct PreliminaryVerdict: Codable, Hashable, Sendable {
    public var result: Verdict.Result
    /// Classes that are known to be targets, indices of the model's outputs.
    public var targetClasses: [Int]
    /// Their names, in the same order.
    public var names: [String]

    public init(targetClasses: [Int], names: [String]) {
        result = .backdoored
        self.targetClasses = targetClasses
        self.names = names
    }

    enum CodingKeys: String, CodingKey {
        case result, names
        case targetClasses = "target_classes"
    }
}
