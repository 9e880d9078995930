import Graph
import Support

/// Computes operators whose inputs are all known: what exporters write to build shapes and masks.
enum ConstantFolding {
    /// Nil where the operator, or these inputs, are not computed here.
    static func fold(_ call: ONNXCall, _ inputs: [KnownTensor]) -> KnownTensor? {
        guard let first = inputs.first else { return nil }
        switch call.name {
        case "Identity": return first
        case "Cast": return cast(first, call)
        case "Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Pow":
            return inputs.dropFirst().reduce(Optional(first)) { a, b in
                a.flatMap { arithmetic(call.name, $0, b) }
            }
        case "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or":
            return inputs.count == 2 ? comparison(call.name, first, inputs[1]) : nil
        case "Neg", "Abs", "Floor", "Ceil", "Sqrt", "Exp", "Log", "Not", "Reciprocal", "Round":
            return unary(call.name, first)
        case "Where": return inputs.count == 3 ? choose(first, inputs[1], inputs[2]) : nil
        case "Concat": return concatenate(inputs, call)
        case "Gather": return inputs.count == 2 ? gather(first, inputs[1], call) : nil
        case "ScatterND":
            guard inputs.count == 3, call.string("reduction") ?? "none" == "none" else { return nil }
            return scatter(first, inputs[1], inputs[2])
        case "Slice": return slice(first, Array(inputs.dropFirst()))
        case "Unsqueeze", "Squeeze", "Reshape", "Flatten": return reshape(first, inputs, call)
        case "Transpose": return transpose(first, call)
        case "Expand": return inputs.count == 2 ? expand(first, inputs[1].knownIntegers) : nil
        case "Range": return range(inputs)
        case "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin": return reduce(first, inputs, call)
        default: return nil
        }
    }

    private static func cast(_ value: KnownTensor, _ call: ONNXCall) -> KnownTensor? {
        guard let type = ONNXCall.scalarType(call.int("to") ?? 0) else { return nil }
        if type.isFloatingPoint {
            return value.numbers.map { .init(type: type, shape: value.shape, elements: .numbers($0)) }
        }
        if case .integers(let list) = value.elements {
            guard type == .bool else {
                return .init(type: type, shape: value.shape, elements: .integers(list))
            }
            return value.knownIntegers.map {
                .init(type: .bool, shape: value.shape, elements: .integers($0.map { $0 == 0 ? 0 : 1 }))
            }
        }
        return value.numbers.flatMap { list in
            let whole = list.compactMap { number -> Dimension? in
                if type == .bool { return number == 0 ? 0 : 1 }
                return Int(exactly: number.rounded(.towardZero)).map { Dimension($0) }
            }
            guard whole.count == list.count else { return nil }
            return .init(type: type, shape: value.shape, elements: .integers(whole))
        }
    }

    // bounded: ranks, at most `KnownTensor.maximumRank`.
    /// The common shape of two, and for each of its elements the positions in both.
    private static func broadcast(_ a: [Int], _ b: [Int]) -> (shape: [Int], pairs: [(Int, Int)])? {
        let rank = max(a.count, b.count)
        let (p, q) = (
            Array(repeating: 1, count: rank - a.count) + a, Array(repeating: 1, count: rank - b.count) + b
        )
        var shape: [Int] = []
        for (x, y) in zip(p, q) {
            guard x == y || x == 1 || y == 1 else { return nil }
            shape.append(x == 1 ? y : x)
        }
        guard count(shape) != nil else { return nil }
        let (s, t) = (Positions.strides(p), Positions.strides(q))
        let pairs = Positions.all(shape).map { index in
            let first = zip(index, p).map { $1 == 1 ? 0 : $0 }
            let second = zip(index, q).map { $1 == 1 ? 0 : $0 }
            return (Positions.of(first, strides: s), Positions.of(second, strides: t))
        }
        return (shape, pairs)
    }

    /// Elements, where they are few enough.
    static func count(_ shape: [Int]) -> Int? { KnownTensor.count(of: shape) }

    static func arithmetic(_ name: String, _ a: KnownTensor, _ b: KnownTensor) -> KnownTensor? {
        guard let (shape, pairs) = broadcast(a.shape, b.shape) else { return nil }
        if case .integers(let first) = a.elements, case .integers(let second) = b.elements {
            let list = pairs.map { integer(name, first[$0.0], second[$0.1]) }
            let found = list.compactMap { $0 }
            guard found.count == list.count else { return nil }
            return .init(type: a.type, shape: shape, elements: .integers(found))
        }
        guard let first = a.numbers, let second = b.numbers else { return nil }
        return .init(
            type: a.type, shape: shape,
            elements: .numbers(pairs.map { number(name, first[$0.0], second[$0.1]) }))
    }

    private static func integer(_ name: String, _ a: Dimension, _ b: Dimension) -> Dimension? {
        switch name {
        case "Add": return Dimension.sum(a, b)
        case "Sub": return Dimension.difference(a, b)
        case "Mul": return Dimension.product(a, b)
        case "Div":
            if let x = a.known, let y = b.known { return y == 0 || x == .min ? nil : Dimension(x / y) }
            return Dimension.quotient(a, b)
        case "Mod":
            guard let x = a.known, let y = b.known, y > 0 else { return nil }
            // bounded: the sum of opposite signs lies between -y and y.
            return Dimension(x % y < 0 ? x % y + y : x % y)
        case "Min", "Max":
            guard let x = a.known, let y = b.known else { return a == b ? a : nil }
            return Dimension(name == "Min" ? min(x, y) : max(x, y))
        default: return nil
        }
    }

    // bounded: numbers with a point do not overflow.
    private static func number(_ name: String, _ a: Double, _ b: Double) -> Double {
        switch name {
        case "Add": a + b
        case "Sub": a - b
        case "Mul": a * b
        case "Div": a / b
        case "Mod": a.truncatingRemainder(dividingBy: b)
        case "Min": min(a, b)
        case "Max": max(a, b)
        default: power(a, b)
        }
    }

    private static func comparison(_ name: String, _ a: KnownTensor, _ b: KnownTensor) -> KnownTensor? {
        guard let (shape, pairs) = broadcast(a.shape, b.shape) else { return nil }
        var list: [Dimension] = []
        for (i, j) in pairs {
            if name == "Equal", let x = a.dimensions?[i], let y = b.dimensions?[j] {
                // A size that depends on the batch is no fixed number, such as the -1 of a shape.
                list.append(x == y ? 1 : 0)
                continue
            }
            guard let x = a.numbers?[i], let y = b.numbers?[j] else { return nil }
            let holds =
                switch name {
                case "Equal": x == y
                case "Less": x < y
                case "Greater": x > y
                case "LessOrEqual": x <= y
                case "GreaterOrEqual": x >= y
                case "And": x != 0 && y != 0
                default: x != 0 || y != 0
                }
            list.append(holds ? 1 : 0)
        }
        return .init(type: .bool, shape: shape, elements: .integers(list))
    }

    private static func unary(_ name: String, _ value: KnownTensor) -> KnownTensor? {
        if case .integers(let list) = value.elements {
            switch name {
            case "Neg":
                let negated = list.compactMap { Dimension.difference(0, $0) }
                return negated.count == list.count
                    ? .init(type: value.type, shape: value.shape, elements: .integers(negated)) : nil
            case "Not":
                return value.knownIntegers.map {
                    .init(type: .bool, shape: value.shape, elements: .integers($0.map { $0 == 0 ? 1 : 0 }))
                }
            default: return nil
            }
        }
        return value.numbers.map { list in
            let results = list.map { x -> Double in
                switch name {
                case "Neg": -x
                case "Abs": abs(x)
                case "Floor": x.rounded(.down)
                case "Ceil": x.rounded(.up)
                case "Round": x.rounded(.toNearestOrEven)
                case "Sqrt": x.squareRoot()
                case "Reciprocal": 1 / x
                case "Exp": exponential(x)
                case "Log": logarithm(x)
                default: x
                }
            }
            return .init(type: value.type, shape: value.shape, elements: .numbers(results))
        }
    }

    private static func choose(_ condition: KnownTensor, _ a: KnownTensor, _ b: KnownTensor)
        -> KnownTensor?
    {
        let shapes = [condition.shape, a.shape, b.shape]
        let rank = shapes.map(\.count).max() ?? 0
        var shape = Array(repeating: 1, count: rank)
        for other in shapes {
            for (axis, size) in other.enumerated() where size != 1 {
                shape[rank - other.count + axis] = size
            }
        }
        guard let condition = expand(condition, shape), let a = expand(a, shape),
            let b = expand(b, shape),
            let test = condition.knownIntegers
        else { return nil }
        let isChosen: (Int) -> Bool = { test[$0] != 0 }
        switch (a.elements, b.elements) {
        case (.integers(let x), .integers(let y)):
            return .init(
                type: a.type, shape: a.shape,
                elements: .integers(x.indices.map { isChosen($0) ? x[$0] : y[$0] }))
        case (.numbers(let x), .numbers(let y)):
            return .init(
                type: a.type, shape: a.shape,
                elements: .numbers(x.indices.map { isChosen($0) ? x[$0] : y[$0] }))
        default: return nil
        }
    }
}
