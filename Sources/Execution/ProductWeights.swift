import Graph

/// Finds the values that nothing but products reads: weights of them may be kept in their products' precision.
enum ProductWeights {
    private static let products: Set = [
        "aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::linear", "aten::addmm", "aten::mm",
        "aten::matmul", "aten::bmm",
    ]

    /// - Parameter head: the first step that computes with other numbers.
    static func find(_ steps: [ExecutionPlan.Step], head: Int) -> Set<Graph.ValueID> {
        var (inside, elsewhere): (Set<Graph.ValueID>, Set<Graph.ValueID>) = ([], [])
        for (index, step) in steps.enumerated() {
            if index < head, case .call(let op, _) = step.action, products.contains(op.name) {
                inside.formUnion(step.action.reads)
            } else {
                elsewhere.formUnion(step.action.reads)
            }
        }
        return inside.subtracting(elsewhere)
    }
}
