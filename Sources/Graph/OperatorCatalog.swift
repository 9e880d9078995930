/// What the executor needs to know of an operator. The table itself is the allowlist.
public struct OperatorRule: Sendable {
    /// Such as `aten::batch_norm`.
    public var name: String
    /// Such as `Tensor`; empty for the default overload.
    public var overload: String
    /// The bool argument that switches to training behaviour, such as `training` or `train`.
    public var trainingSwitch: String?
    /// Writes into its first argument.
    public var isInPlace: Bool
    /// The result may share memory with the first argument.
    public var isView: Bool
}

/// The operators that a graph may use.
public enum OperatorCatalog {
    static let rules: [String: OperatorRule] = [:]

    /// The rule for an operator, nil where it is not allowed.
    public static func rule(for name: String, overload: String) -> OperatorRule? {
        rules[name + "." + overload]
    }
}
