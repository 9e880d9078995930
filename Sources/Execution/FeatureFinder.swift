import Graph
import Tensors

/// Finds the penultimate activation: what the last linear layer on the way to the logits reads.
enum FeatureFinder {
    static func find(
        _ steps: [ExecutionPlan.Step], output: Graph.ValueID, external: Set<Graph.ValueID>
    ) -> ExecutionPlan.Features? {
        var producers: [Graph.ValueID: Int] = [:]
        for (index, step) in steps.enumerated() {
            for value in step.outputs.compactMap({ $0 }) { producers[value] = index }
        }
        var value = output
        while let index = producers[value] {
            let action = steps[index].action
            if case .call(let op, let arguments) = action {
                let position: Int? =
                    switch op.name {
                    case "aten::linear", "aten::mm", "aten::matmul": 0
                    case "aten::addmm": 1
                    default: nil
                    }
                if let position, position < arguments.count,
                    case .value(let input) = arguments[position]
                {
                    return external.contains(input) ? nil : .init(value: input, isMap: false, head: index)
                }
                // A fully convolutional head, as SqueezeNet's.
                if op.name.contains("conv"), case .value(let input)? = arguments.first {
                    return external.contains(input) ? nil : .init(value: input, isMap: true, head: index)
                }
            }
            guard let next = action.reads.first(where: { producers[$0].map { $0 < index } ?? false }) else {
                return nil
            }
            value = next
        }
        return nil
    }
}
