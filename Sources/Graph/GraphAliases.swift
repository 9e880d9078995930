/// Which values share memory: views and in-place results lead back to the value that owns it.
struct GraphAliases {
    /// By value: the value whose memory it uses; itself where it owns its own.
    private(set) var roots: [Graph.ValueID]
    /// By value: it is not simply the same tensor as its root, but a view of it.
    private(set) var isView: [Bool]
    /// By value: the value whose memory it shares for certain. `reshape` and its like, which may copy, begin anew.
    private(set) var exactRoots: [Graph.ValueID]

    private static let exactViews: Set<String> = [
        "aten::alias", "aten::chunk", "aten::detach", "aten::expand", "aten::expand_as", "aten::movedim",
        "aten::narrow", "aten::numpy_T", "aten::permute", "aten::select", "aten::slice", "aten::split",
        "aten::split_with_sizes", "aten::squeeze", "aten::swapaxes", "aten::swapdims", "aten::t",
        "aten::transpose", "aten::unbind", "aten::unsqueeze",
    ]

    /// - Parameter graph: one whose structure has been checked.
    init(_ graph: Graph) {
        roots = Array(graph.valueNames.indices)
        isView = Array(repeating: false, count: roots.count)
        exactRoots = roots
        for node in graph.nodes {
            guard let rule = OperatorCatalog.rule(for: node), rule.isInPlace || rule.isView,
                let source = node.target
            else { continue }
            for case let output? in node.outputs {
                roots[output] = roots[source]
                isView[output] = rule.isView || isView[source]
                let isExact = rule.isInPlace || Self.exactViews.contains(rule.name)
                exactRoots[output] = isExact ? exactRoots[source] : output
            }
        }
    }
}

extension Graph.Node {
    /// The tensor that the node is about: its first argument.
    var target: Graph.ValueID? {
        if case .tensor(let value)? = arguments.first?.value { value } else { nil }
    }
}
