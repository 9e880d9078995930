import Graph

/// What a graph's node means to the planner, with the many spellings of batch norm, dropout and view brought
/// to one each.
enum NormalisedNode {
    case batchNorm(BatchNorm)
    case dropout(input: Graph.ValueID, p: Double, wholeChannels: Bool, isInPlace: Bool)
    case size(Graph.ValueID, dimension: Int)
    case arithmetic(ExecutionPlan.Arithmetic, Graph.SymbolicInt, Graph.SymbolicInt)
    case call(Graph.Node)

    struct BatchNorm {
        var input: Graph.ValueID
        var weight: Graph.ValueID?
        var bias: Graph.ValueID?
        var mean: Graph.ValueID?
        var variance: Graph.ValueID?
        var momentum: Double
        var epsilon: Double
    }

    private static let batchNorms: Set<String> = [
        "aten::batch_norm", "aten::native_batch_norm", "aten::_native_batch_norm_legit",
        "aten::_native_batch_norm_legit_no_training", "aten::_native_batch_norm_legit_functional",
        "aten::_batch_norm_with_update", "aten::_batch_norm_with_update_functional",
        "aten::_batch_norm_no_update",
    ]

    init(_ node: Graph.Node) {
        self = Self.special(node) ?? .call(node)
    }

    private static func special(_ node: Graph.Node) -> NormalisedNode? {
        let arguments = Dictionary(node.arguments.map { ($0.name, $0.value) }) { first, _ in first }
        let onlyFirstIsRead = node.outputs.dropFirst().allSatisfy { $0 == nil }
        switch node.operatorName {
        case _ where batchNorms.contains(node.operatorName) && onlyFirstIsRead && node.overload.isEmpty:
            guard let input = arguments["input"]?.tensorValue else { return nil }
            return .batchNorm(
                BatchNorm(
                    input: input, weight: arguments["weight"]?.tensorValue,
                    bias: arguments["bias"]?.tensorValue, mean: arguments["running_mean"]?.tensorValue,
                    variance: arguments["running_var"]?.tensorValue,
                    momentum: arguments["momentum"]?.number ?? 0.1,
                    epsilon: arguments["eps"]?.number ?? 1e-5))
        case "aten::dropout", "aten::dropout_", "aten::native_dropout", "aten::feature_dropout",
            "aten::feature_dropout_":
            guard onlyFirstIsRead, let p = arguments["p"]?.number,
                let input = (arguments["input"] ?? arguments["self"])?.tensorValue
            else { return nil }
            return .dropout(
                input: input, p: p, wholeChannels: node.operatorName.contains("feature"),
                isInPlace: node.operatorName.hasSuffix("_"))
        case "sym::size":
            guard let input = arguments["self"]?.tensorValue,
                case .int(.known(let dimension))? = arguments["dim"]
            else { return nil }
            return .size(input, dimension: Int(dimension))
        case "sym::add", "sym::sub", "sym::mul", "sym::floordiv":
            guard let operation = ExecutionPlan.Arithmetic(rawValue: node.operatorName),
                case .int(let a)? = arguments["a"], case .int(let b)? = arguments["b"]
            else { return nil }
            return .arithmetic(operation, a, b)
        case "aten::view", "aten::_unsafe_view":
            // Under channels_last the strides may not allow a view; reshape copies where it must.
            guard node.overload.isEmpty else { return nil }
            var node = node
            node.operatorName = "aten::reshape"
            node.arguments = node.arguments.map { argument in
                argument.name == "size" ? .init(name: "shape", value: argument.value) : argument
            }
            return .call(node)
        default:
            return nil
        }
    }
}

extension Graph.Argument {
    var tensorValue: Graph.ValueID? {
        if case .tensor(let value) = self { value } else { nil }
    }

    var number: Double? {
        switch self {
        case .float(let value): value
        case .int(.known(let value)): Double(value)
        default: nil
        }
    }
}
