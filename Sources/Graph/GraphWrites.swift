import Support

/// Which values an in-place operator may write: no weights, and nothing through what may be a view or a copy of a value
/// that is read again under another name.
enum GraphWrites {
    /// In time that grows with the graph alone, however many values share memory.
    /// - Parameter graph: one whose structure has been checked.
    /// - Throws: `Problem` that names the node.
    static func check(_ graph: Graph) throws {
        let aliases = GraphAliases(graph)
        var kinds: [Graph.ValueID: Graph.InputKind] = [:]
        for input in graph.inputs { kinds[input.value] = input.kind }
        var lastRead = [Int](repeating: -1, count: graph.valueNames.count)
        for (index, node) in graph.nodes.enumerated() { for value in node.reads { lastRead[value] = index } }
        lastRead[graph.output] = graph.nodes.count
        var isResult = [Bool](repeating: false, count: graph.valueNames.count)
        for node in graph.nodes { for case let output? in node.outputs { isResult[output] = true } }
        // By root: what was written so far, all values and the views among them.
        var families: [Graph.ValueID: (all: LastReads, views: LastReads)] = [:]
        func add(_ value: Graph.ValueID) {
            let group = aliases.exactRoots[value]
            families[aliases.roots[value], default: (LastReads(), LastReads())].all.add(
                value, group, lastRead[value])
            guard aliases.isView[value] else { return }
            families[aliases.roots[value], default: (LastReads(), LastReads())].views.add(
                value, group, lastRead[value])
        }
        for value in isResult.indices where !isResult[value] { add(value) }
        for (index, node) in graph.nodes.enumerated() {
            defer { for case let output? in node.outputs { add(output) } }
            guard OperatorCatalog.rule(for: node)?.isInPlace == true, let target = node.target else {
                continue
            }
            let root = aliases.roots[target]
            if let kind = kinds[root], kind != .image {
                throw GraphFault.weightWritten.problem(
                    "It writes to the weight “\(graph.valueNames[root])” in place.", node: node,
                    fix: "Export the model in evaluation mode, with model.eval().")
            }
            let family = families[root]
            let others = aliases.isView[target] ? family?.all : family?.views
            guard let other = others?.latest(outside: aliases.exactRoots[target]), other.index > index else {
                continue
            }
            throw GraphFault.structure.problem(
                "It changes “\(graph.valueNames[target])”, a view, and “\(graph.valueNames[other.value])” of the "
                    + "same memory is read later.", node: node,
                fix: "Export with run_decompositions(), which makes in-place operators plain ones.")
        }
    }

    /// The values of two groups that are read last.
    private struct LastReads {
        private var first: (value: Graph.ValueID, group: Graph.ValueID, index: Int)?
        private var second: (value: Graph.ValueID, group: Graph.ValueID, index: Int)?

        mutating func add(_ value: Graph.ValueID, _ group: Graph.ValueID, _ index: Int) {
            let new = (value: value, group: group, index: index)
            guard let old = first else {
                first = new
                return
            }
            if old.group == group {
                if index > old.index { first = new }
            } else if index > old.index {
                (first, second) = (new, old)
            } else if second.map({ index > $0.index }) ?? true {
                second = new
            }
        }

        /// Of another group the value that is read last.
        func latest(outside group: Graph.ValueID) -> (value: Graph.ValueID, index: Int)? {
            (first?.group == group ? second : first).map { ($0.value, $0.index) }
        }
    }
}
