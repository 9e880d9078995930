/// Brings the forms that exporters write to one: what only training bookkeeping needs goes, and operators
/// that say the same become one operator that the executor knows in inference and in training.
///
/// - Batch normalisation of every form becomes `aten::batch_norm`, whose `training` argument updates the
///   running statistics in place. `num_batches_tracked` is not counted.
/// - `native_dropout` becomes `dropout`, `max_pool2d_with_indices` `max_pool2d`, where the second result is
///   not read; views become `reshape`, so that any memory layout will do.
/// - Dead nodes and unread inputs go. An image that is changed in place is copied first.
public enum GraphSimplifier {
    /// - Parameter graph: one that `GraphChecker.checkStructure` accepts.
    public static func simplified(_ graph: Graph) -> Graph {
        var graph = graph
        dropCounters(&graph)
        var readers = Array(repeating: 0, count: graph.valueNames.count)
        for value in graph.nodes.flatMap(\.reads) + [graph.output] { readers[value] += 1 }
        for index in graph.nodes.indices {
            let unread = graph.nodes[index].outputs.dropFirst().allSatisfy {
                $0.map { readers[$0] == 0 } ?? true
            }
            simplify(&graph.nodes[index], onlyFirstResultRead: unread)
        }
        copyImage(&graph)
        dropDeadNodes(&graph)
        return graph
    }

    /// Batch normalisation counts its batches in training: nothing reads the count.
    private static func dropCounters(_ graph: inout Graph) {
        var counters: Set<Graph.ValueID> = []
        for case (let value, .buffer(let name)) in graph.inputs.map({ ($0.value, $0.kind) })
        where name == "num_batches_tracked" || name.hasSuffix(".num_batches_tracked") {
            counters.insert(value)
        }
        var read: Set<Graph.ValueID> = [graph.output]
        for node in graph.nodes { read.formUnion(node.reads) }
        graph.nodes.removeAll { node in
            guard node.operatorName == "aten::add_", let target = node.target else { return false }
            return counters.contains(target)
                && node.outputs.allSatisfy { $0.map { !read.contains($0) } ?? true }
        }
    }

    private static let renamed: [String: String] = [
        "aten::detach_": "aten::detach", "aten::lift_fresh_copy": "aten::clone",
        "aten::lift_fresh": "aten::alias",
    ]

    private static func simplify(_ node: inout Graph.Node, onlyFirstResultRead: Bool) {
        if let name = renamed[node.operatorName] { node.operatorName = name }
        switch node.operatorName {
        case "aten::view", "aten::_unsafe_view":
            node.operatorName = "aten::reshape"
            for index in node.arguments.indices where node.arguments[index].name == "size" {
                node.arguments[index].name = "shape"
            }
        case "aten::native_dropout" where onlyFirstResultRead:
            node.operatorName = "aten::dropout"
            for index in node.arguments.indices where node.arguments[index].value == .none {
                node.arguments[index].value = .bool(true)
            }
            node.outputs = Array(node.outputs.prefix(1))
        case "aten::max_pool2d_with_indices" where onlyFirstResultRead:
            node.operatorName = "aten::max_pool2d"
            node.outputs = Array(node.outputs.prefix(1))
        case "aten::_scaled_dot_product_flash_attention_for_cpu" where onlyFirstResultRead:
            node.operatorName = "aten::scaled_dot_product_attention"
            node.outputs = Array(node.outputs.prefix(1))
        case "aten::native_batch_norm", "aten::_native_batch_norm_legit",
            "aten::_native_batch_norm_legit_functional", "aten::_native_batch_norm_legit_no_training",
            "aten::_batch_norm_no_update", "aten::_batch_norm_with_update",
            "aten::_batch_norm_with_update_functional":
            if onlyFirstResultRead { simplifyBatchNorm(&node) }
        default: break
        }
    }

    private static func simplifyBatchNorm(_ node: inout Graph.Node) {
        let training = node.argument("training") ?? .bool(node.operatorName.contains("with_update"))
        let names = ["input", "weight", "bias", "running_mean", "running_var", "momentum", "eps"]
        let given = names.map { Graph.NamedArgument(name: $0, value: node.argument($0) ?? .none) }
        node.operatorName = "aten::batch_norm"
        node.arguments =
            given.prefix(5) + [.init(name: "training", value: training)] + given.suffix(2)
            + [.init(name: "cudnn_enabled", value: .bool(false))]
        node.outputs = Array(node.outputs.prefix(1))
    }

    /// A model may change its input in place: the caller's batch must not change with it.
    private static func copyImage(_ graph: inout Graph) {
        guard let image = graph.inputs.first(where: { $0.kind == .image })?.value else { return }
        let aliases = GraphAliases(graph)
        let isWritten = graph.nodes.contains { node in
            OperatorCatalog.rule(for: node)?.isInPlace == true
                && node.target.map { aliases.roots[$0] == image } ?? false
        }
        guard isWritten else { return }
        let copy = graph.valueNames.count
        graph.valueNames.append("\(graph.valueNames[image]).copy")
        for index in graph.nodes.indices { graph.nodes[index].replace(image, with: copy) }
        if graph.output == image { graph.output = copy }
        graph.nodes.insert(
            Graph.Node(
                name: "copy", operatorName: "aten::clone", overload: "",
                arguments: [.init(name: "self", value: .tensor(image))], outputs: [copy]), at: 0)
    }

    private static func dropDeadNodes(_ graph: inout Graph) {
        let aliases = GraphAliases(graph)
        var live: Set<Graph.ValueID> = [graph.output]
        var liveRoots: Set<Graph.ValueID> = [aliases.roots[graph.output]]
        var kept: [Graph.Node] = []
        for node in graph.nodes.reversed() {
            let isRead = node.outputs.contains { $0.map(live.contains) ?? false }
            // A write in place matters as long as the memory is read at all.
            let isSeen =
                OperatorCatalog.rule(for: node)?.isInPlace == true
                && node.target.map { liveRoots.contains(aliases.roots[$0]) } ?? false
            guard isRead || isSeen else { continue }
            for value in node.reads {
                live.insert(value)
                liveRoots.insert(aliases.roots[value])
            }
            kept.append(node)
        }
        graph.nodes = kept.reversed()
        graph.inputs.removeAll { !live.contains($0.value) && $0.kind != .image }
    }
}

extension Graph.Node {
    /// Reads `new` wherever it read `old`.
    mutating func replace(_ old: Graph.ValueID, with new: Graph.ValueID) {
        func replaced(_ value: Graph.ValueID) -> Graph.ValueID { value == old ? new : value }
        for index in arguments.indices {
            switch arguments[index].value {
            case .tensor(let value): arguments[index].value = .tensor(replaced(value))
            case .tensors(let values): arguments[index].value = .tensors(values.map(replaced))
            case .optionalTensors(let values):
                arguments[index].value = .optionalTensors(values.map { $0.map(replaced) })
            default: break
            }
        }
    }
}
