import Graph
import Support
import Tensors

/// Turns a graph into a plan for evaluation (batch norm from running statistics, folded into the convolution
/// before it where possible; dropout gone) or for training.
struct PlanBuilder {
    private let graph: Graph
    private let isTraining: Bool
    private let external: Set<Graph.ValueID>
    private let buffers: Set<Graph.ValueID>
    private var steps: [ExecutionPlan.Step] = []
    private var folds: [BatchNormFold] = []
    private var nextSlot: Int
    /// Values that are another value under a second name.
    private var aliases: [Graph.ValueID: Graph.ValueID] = [:]
    private var uses: [Graph.ValueID: Int] = [:]

    static func plan(_ graph: Graph, training: Bool) throws -> ExecutionPlan {
        var builder = PlanBuilder(graph, training: training)
        for node in graph.nodes { try builder.append(node) }
        return try builder.finish()
    }

    private init(_ graph: Graph, training: Bool) {
        self.graph = graph
        isTraining = training
        external = Set(graph.inputs.map(\.value))
        buffers = Set(graph.inputs.filter { if case .buffer = $0.kind { true } else { false } }.map(\.value))
        nextSlot = graph.valueNames.count
        for node in graph.nodes {
            for value in node.arguments.flatMap(\.value.valuesRead) { uses[value, default: 0] += 1 }
        }
        uses[graph.output, default: 0] += 1
    }

    private func resolve(_ value: Graph.ValueID) -> Graph.ValueID {
        var value = value
        while let other = aliases[value] { value = other }
        return value
    }

    private mutating func append(_ node: Graph.Node) throws {
        switch NormalisedNode(node) {
        case .batchNorm(let norm):
            if !isTraining, try fold(norm, node) { return }
            try appendBatchNorm(norm, node)
        case .dropout(let input, let p, let wholeChannels, let isInPlace):
            let input = resolve(input)
            guard isTraining, p > 0 else {
                if let output = node.outputs.first ?? nil { aliases[output] = input }
                return
            }
            steps.append(
                .init(
                    name: node.name, action: .dropout(input, p: p, wholeChannels: wholeChannels),
                    outputs: [node.outputs.first ?? nil]))
            if isInPlace, let output = node.outputs.first ?? nil { aliases[input] = output }
        case .size(let input, let dimension):
            steps.append(
                .init(
                    name: node.name, action: .size(resolve(input), dimension: dimension),
                    outputs: node.outputs))
        case .arithmetic(let operation, let a, let b):
            steps.append(
                .init(name: node.name, action: .arithmetic(operation, a, b), outputs: node.outputs))
        case .call(let node): try appendCall(node)
        }
    }

    private mutating func appendCall(_ node: Graph.Node) throws {
        let op = try Operator(node.operatorName, node.overload)
        var positional = [ExecutionPlan.Argument](
            repeating: .constant(.defaultValue), count: op.argumentNames.count)
        var written: [Graph.ValueID] = []
        for argument in node.arguments {
            guard let position = op.argumentNames.firstIndex(of: argument.name) else {
                throw Problem(
                    .unprocessable, code: "model-operator-argument",
                    title: "An operator of the model has an argument that does not exist",
                    detail: "\(op) has no argument '\(argument.name)'", location: node.name,
                    fix: "Export the model again, and compare the file's SHA-256 where it was copied.")
            }
            positional[position] = argument.value.planned.mapReads(resolve)
            // Training may write running statistics; nothing else writes a weight, or the caller's images.
            if op.writtenArguments[position], let value = argument.value.tensorValue {
                let value = resolve(value)
                if !(isTraining && buffers.contains(value)) { written.append(value) }
            }
        }
        if let position = op.argumentNames.firstIndex(where: { $0 == "training" || $0 == "train" }) {
            positional[position] = .constant(.bool(isTraining))
        }
        steps.append(
            .init(
                name: node.name, action: .call(op, positional), outputs: node.outputs, written: written))
    }

    private mutating func appendBatchNorm(_ norm: NormalisedNode.BatchNorm, _ node: Graph.Node) throws {
        func optional(_ value: Graph.ValueID?) -> ExecutionPlan.Argument {
            value.map { .value(resolve($0)) } ?? .constant(.none)
        }
        let hasStatistics = norm.mean != nil && norm.variance != nil
        steps.append(
            .init(
                name: node.name,
                action: .call(
                    try Operator("aten::batch_norm"),
                    [
                        .value(resolve(norm.input)), optional(norm.weight), optional(norm.bias),
                        optional(norm.mean), optional(norm.variance),
                        .constant(.bool(isTraining || !hasStatistics)), .constant(.double(norm.momentum)),
                        .constant(.double(norm.epsilon)), .constant(.bool(false)),
                    ]), outputs: [node.outputs.first ?? nil]))
    }

    /// Merges a batch norm into the convolution that feeds it and nothing else.
    private mutating func fold(_ norm: NormalisedNode.BatchNorm, _ node: Graph.Node) throws -> Bool {
        let input = resolve(norm.input)
        guard uses[norm.input] == 1, input == norm.input, let output = node.outputs.first ?? nil,
            let mean = norm.mean, let variance = norm.variance,
            [mean, variance].allSatisfy(external.contains),
            [norm.weight, norm.bias].compactMap({ $0 }).allSatisfy(external.contains),
            let index = steps.lastIndex(where: { $0.outputs.first == input }),
            case .call(let op, var arguments) = steps[index].action, op.isForwardConvolution(arguments),
            arguments.count > 2, case .value(let weight) = arguments[1], external.contains(weight)
        else { return false }
        var bias: Graph.ValueID?
        if case .value(let value) = arguments[2] {
            guard external.contains(value) else { return false }
            bias = value
        }
        let fold = BatchNormFold(
            weight: weight, bias: bias, scale: norm.weight, shift: norm.bias, mean: mean,
            variance: variance, epsilon: norm.epsilon, foldedWeight: nextSlot, foldedBias: nextSlot + 1)
        nextSlot += 2
        folds.append(fold)
        arguments[1] = .value(fold.foldedWeight)
        arguments[2] = .value(fold.foldedBias)
        steps[index].action = .call(op, arguments)
        steps[index].outputs = [output]
        return true
    }

    private mutating func finish() throws -> ExecutionPlan {
        let output = resolve(graph.output)
        let features = FeatureFinder.find(steps, output: output, external: external)
        let kept = external.union([output, features?.value ?? output])
        var seen = kept
        for index in steps.indices.reversed() {
            let touched = Set(steps[index].action.reads + steps[index].outputs.compactMap { $0 })
            let last = touched.filter { $0 < graph.valueNames.count && !seen.contains($0) }
            steps[index].released = last.sorted()
            seen.formUnion(last)
        }
        return ExecutionPlan(
            steps: steps, folds: folds, slotCount: nextSlot, output: output, features: features,
            productWeights: isTraining ? [] : ProductWeights.find(steps, head: features?.head ?? 0))
    }
}

extension Operator {
    fileprivate func isForwardConvolution(_ arguments: [ExecutionPlan.Argument]) -> Bool {
        switch name {
        case "aten::conv1d", "aten::conv2d", "aten::conv3d": return true
        case "aten::convolution", "aten::_convolution":
            guard let position = argumentNames.firstIndex(of: "transposed"), position < arguments.count,
                case .constant(.bool(false)) = arguments[position]
            else { return false }
            return true
        default: return false
        }
    }
}

extension Graph.Argument {
    var valuesRead: [Graph.ValueID] { planned.reads }

    var planned: ExecutionPlan.Argument {
        switch self {
        case .none: .constant(.none)
        case .tensor(let value): .value(value)
        case .tensors(let values): .values(values)
        case .optionalTensors(let values): .optionalValues(values)
        case .int(.known(let value)): .constant(.int(Int(value)))
        case .int(.computed(let value)): .value(value)
        case .ints(let values): .ints(values)
        case .float(let value): .constant(.double(value))
        case .floats(let values): .constant(.doubles(values))
        case .bool(let value): .constant(.bool(value))
        case .bools(let values): .constant(.bools(values))
        case .string(let value): .constant(.string(value))
        case .scalarType(let type): .constant(.scalarType(type))
        case .memoryFormat(let format): .constant(.memoryFormat(format))
        case .layout(let layout): .constant(.layout(layout))
        case .device: .constant(.device)
        }
    }
}
