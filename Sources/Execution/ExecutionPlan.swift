import Graph
import Tensors

/// A graph made ready to run in one mode: operators found, arguments in positional order, training switches
/// set, and for every value the step after which it is not needed any more.
struct ExecutionPlan: Sendable {
    typealias ValueID = Graph.ValueID

    /// An argument in positional order.
    enum Argument: Sendable {
        case constant(OperatorArgument)
        case value(ValueID)
        case values([ValueID])
        case optionalValues([ValueID?])
        case ints([Graph.SymbolicInt])
    }

    enum Action: Sendable {
        case call(Operator, [Argument])
        /// Drops elements with probability `p` (whole channels when `wholeChannels`) and scales the rest.
        case dropout(ValueID, p: Double, wholeChannels: Bool)
        case size(ValueID, dimension: Int)
        case arithmetic(Arithmetic, Graph.SymbolicInt, Graph.SymbolicInt)
    }

    enum Arithmetic: String, Sendable {
        case add = "sym::add"
        case subtract = "sym::sub"
        case multiply = "sym::mul"
        case floorDivide = "sym::floordiv"
    }

    struct Step: Sendable {
        var name: String
        var action: Action
        var outputs: [ValueID?]
        /// Values that an in-place operator writes.
        var written: [ValueID] = []
        /// Values that nothing reads after this step.
        var released: [ValueID] = []
    }

    var steps: [Step]
    /// Convolutions with their batch norm folded in; their weights have slots after the graph's values.
    var folds: [BatchNormFold]
    var slotCount: Int
    var output: ValueID
    /// The activation that the last linear layer reads.
    var features: Features?
    /// Weights that nothing but products before the last layer reads; none in training, where weights change.
    var productWeights: Set<ValueID> = []

    struct Features: Sendable {
        var value: ValueID
        /// A map of (N, C, H, W), to be averaged over its positions.
        var isMap: Bool
        /// The step that reads it: the last layer.
        var head: Int
    }
}

extension ExecutionPlan.Action {
    /// Every value that is read.
    var reads: [Graph.ValueID] {
        switch self {
        case .call(_, let arguments): arguments.flatMap(\.reads)
        case .dropout(let value, _, _), .size(let value, _): [value]
        case .arithmetic(_, let a, let b): [a, b].compactMap(\.computedValue)
        }
    }

    func mapReads(_ map: (Graph.ValueID) -> Graph.ValueID) -> Self {
        switch self {
        case .call(let op, let arguments): .call(op, arguments.map { $0.mapReads(map) })
        case .dropout(let value, let p, let wholeChannels):
            .dropout(map(value), p: p, wholeChannels: wholeChannels)
        case .size(let value, let dimension): .size(map(value), dimension: dimension)
        case .arithmetic: self
        }
    }
}

extension ExecutionPlan.Argument {
    var reads: [Graph.ValueID] {
        switch self {
        case .constant: []
        case .value(let value): [value]
        case .values(let values): values
        case .optionalValues(let values): values.compactMap { $0 }
        case .ints(let values): values.compactMap(\.computedValue)
        }
    }

    func mapReads(_ map: (Graph.ValueID) -> Graph.ValueID) -> Self {
        switch self {
        case .constant, .ints: self
        case .value(let value): .value(map(value))
        case .values(let values): .values(values.map(map))
        case .optionalValues(let values): .optionalValues(values.map { $0.map(map) })
        }
    }
}

extension Graph.SymbolicInt {
    var computedValue: Graph.ValueID? {
        if case .computed(let value) = self { value } else { nil }
    }
}
