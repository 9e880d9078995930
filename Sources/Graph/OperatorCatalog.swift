/// An operator that a graph may use: its signature, and how the shapes of its results follow.
public struct OperatorRule: Sendable {
    typealias ShapeFunction = @Sendable (inout OperatorCall) throws -> [Shape]

    let schema: OperatorSchema
    let shapes: ShapeFunction

    /// Such as `aten::batch_norm`.
    public var name: String { schema.name }
    /// Such as `Tensor`; empty for the default overload.
    public var overload: String { schema.overload }
    /// The bool argument that switches to training behaviour, such as `training` or `train`.
    public var trainingSwitch: String? {
        schema.arguments.first { $0.kind == .bool && ["training", "train"].contains($0.name) }?.name
    }
    /// Writes into its first argument.
    public var isInPlace: Bool { schema.arguments.first?.isMutated ?? false }
    /// A result may share memory with the first argument.
    public var isView: Bool { !isInPlace && schema.arguments.first?.isAliased ?? false }
}

/// The operators that a graph may use.
public enum OperatorCatalog {
    private static let rules: [String: OperatorRule] = Dictionary(
        table.map { ($0.name + "." + $0.overload, $0) }, uniquingKeysWith: { first, _ in first })

    /// The rule for an operator, nil where it is not allowed.
    public static func rule(for name: String, overload: String) -> OperatorRule? {
        rules[name + "." + overload]
    }

    public static func rule(for node: Graph.Node) -> OperatorRule? {
        rule(for: node.operatorName, overload: node.overload)
    }

    /// Every operator's qualified name, sorted.
    public static var names: [String] {
        table.map { $0.overload.isEmpty ? $0.name : $0.name + "." + $0.overload }.sorted()
    }

    /// The rules of signatures that share a shape function.
    static func group(
        _ shapes: @escaping OperatorRule.ShapeFunction, _ signatures: String
    ) -> [OperatorRule] {
        signatures.split(separator: "\n").compactMap { line in
            OperatorSchema(String(line)).map { OperatorRule(schema: $0, shapes: shapes) }
        }
    }
}
