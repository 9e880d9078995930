import Graph
import Support

/// Translates the nodes of a program.
enum PT2Nodes {
    /// Checks of sizes, which the checks here make needless. Their results may not be read by others.
    private static let dropped: Set<String> = [
        "torch.ops.aten._assert_scalar.default", "torch.ops.aten._assert_tensor_metadata.default",
        "torch.ops.aten._assert_async.msg", "torch.ops.aten.sym_constrain_range.default",
        "torch.ops.aten.sym_constrain_range_for_size.default", "_operator.ge", "_operator.le", "_operator.gt",
        "_operator.lt", "_operator.eq", "_operator.ne", "_operator.and_", "_operator.or_", "_operator.not_",
    ]

    private static let symbolic: [String: String] = [
        "_operator.add": "sym::add", "_operator.sub": "sym::sub", "_operator.mul": "sym::mul",
        "_operator.floordiv": "sym::floordiv",
    ]

    /// All values are defined before any argument is looked up: whether a value is read too early is for
    /// `GraphChecker` to say.
    static func read(_ list: JSONNode, _ values: inout ValueTable, limits: GraphLimits) throws -> [Graph.Node]
    {
        let items = try list.items()
        guard items.count <= limits.maximumNodes else {
            throw GraphFault.tooLarge.problem(
                "The graph has \(items.count) nodes; at most \(limits.maximumNodes) are allowed.")
        }
        var kept: [(node: Graph.Node, inputs: JSONNode)] = []
        for item in items {
            let target = try item.member("target").string()
            guard !dropped.contains(target) else { continue }
            var node = Graph.Node(name: "", operatorName: "", overload: "", arguments: [], outputs: [])
            (node.operatorName, node.overload) = try operatorName(target, item)
            node.outputs = try PT2Arguments.outputs(item.member("outputs"), &values)
            node.name =
                try item.optional("name")?.string()
                ?? node.outputs.first.flatMap { $0 }.map { values.names[$0] } ?? target
            kept.append((node, try item.member("inputs")))
        }
        guard values.names.count <= limits.maximumValues else {
            throw GraphFault.tooLarge.problem(
                "The graph has \(values.names.count) values; at most \(limits.maximumValues) are allowed.")
        }
        return try kept.map { node, inputs in
            var node = node
            node.arguments = try inputs.items().map { input in
                Graph.NamedArgument(
                    name: try input.member("name").string(),
                    value: try PT2Arguments.argument(input.member("arg"), values))
            }
            if node.operatorName.hasPrefix("sym::"), node.arguments.count == 2,
                node.operatorName != "sym::size"
            {
                node.arguments[0].name = "a"
                node.arguments[1].name = "b"
            }
            return OperatorCatalog.normalised(node)
        }
    }

    private static func operatorName(_ target: String, _ item: JSONNode) throws -> (String, String) {
        if let name = symbolic[target] { return (name, "") }
        if target == "torch.ops.aten.sym_size.int" { return ("sym::size", "") }
        let prefix = "torch.ops.aten."
        let parts = target.dropFirst(prefix.count).split(separator: ".")
        guard target.hasPrefix(prefix), parts.count == 2 else {
            let node = Graph.Node(
                name: try item.optional("name")?.string() ?? "?", operatorName: String(target.prefix(120)),
                overload: "", arguments: [], outputs: [])
            throw GraphFault.operator.problem(
                "“\(node.operatorName)” is not on the list of operators that may run.", node: node,
                fix:
                    "Export the plain model for inference, without operators of your own and control flow (torch.cond, "
                    + "loops over data).")
        }
        return ("aten::" + parts[0], parts[1] == "default" ? "" : String(parts[1]))
    }
}
