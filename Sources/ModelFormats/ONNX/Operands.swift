import Graph
import Support

/// A node with what it reads.
struct Operands {
    let call: ONNXCall
    let values: [ONNXTranslator.Value?]

    func has(_ index: Int) -> Bool { values.indices.contains(index) && values[index] != nil }

    func value(_ index: Int) throws -> ONNXTranslator.Value {
        guard values.indices.contains(index), let value = values[index] else {
            throw call.failure("Input \(index) is missing.")
        }
        return value
    }
}

extension ONNXTranslator {
    typealias Rule = @Sendable (inout ONNXTranslator, Operands) throws -> [Value?]

    /// Every operator that is translated.
    static let rules: [String: Rule] = [
        activations, arithmetic, products, windows, normalisations, reductions, layouts, picking,
        quantisation,
    ].reduce(into: [:]) { rules, group in rules.merge(group) { first, _ in first } }

    /// Appends a call with one result.
    mutating func emit(
        _ operatorName: String, _ overload: String = "", _ arguments: [(String, Graph.Argument)],
        _ operands: Operands,
        type: ScalarType = .float32
    ) throws -> Value {
        .tensor(try builder.call(operatorName, overload, arguments, name: name(operands))[0], type)
    }

    func name(_ operands: Operands) -> String {
        operands.call.node.output.first.map { String($0.prefix(200)) } ?? operands.call.name
    }

    mutating func tensor(_ operands: Operands, _ index: Int) throws -> Graph.ValueID {
        try tensor(operands.value(index))
    }

    func shape(_ operands: Operands, _ index: Int) throws -> Shape {
        shape(try operands.value(index))
    }

    /// A list of integers that must be known, from an input; nil where it is left out.
    func integers(_ operands: Operands, _ index: Int) throws -> [Int]? {
        guard operands.has(index) else { return nil }
        guard let list = try known(operands.value(index))?.knownIntegers else {
            throw operands.call.failure("Input \(index) is computed from the images.")
        }
        return list
    }

    /// Numbers that must be known, from an input; nil where it is left out.
    func numbers(_ operands: Operands, _ index: Int) throws -> [Double]? {
        guard operands.has(index) else { return nil }
        guard let list = try known(operands.value(index))?.numbers else {
            throw operands.call.failure("Input \(index) is computed from the images.")
        }
        return list
    }

    func axis(_ number: Int, _ rank: Int, _ operands: Operands) throws -> Int {
        let axis = number < 0 ? number + rank : number
        guard (0..<rank).contains(axis) else {
            throw operands.call.failure("Axis \(number) is outside a tensor of rank \(rank).")
        }
        return axis
    }

    static func ints(_ list: [Int]) -> Graph.Argument { .ints(list.map { .known(Int64(widened: $0)) }) }
    static func int(_ number: Int) -> Graph.Argument { .int(.known(Int64(widened: number))) }

    /// Gives a tensor sizes, at most one of which depends on the batch.
    mutating func reshape(_ value: Graph.ValueID, _ sizes: [Dimension], _ operands: Operands) throws
        -> Graph.ValueID
    {
        guard sizes.filter({ $0.batch != 0 }).count <= 1 else {
            throw GraphFault.shape.problem("\(sizes.text) depends on the batch twice.")
        }
        return try builder.call(
            "aten::reshape", "",
            [
                ("self", .tensor(value)),
                ("shape", .ints(sizes.map { .known($0.known.map(Int64.init) ?? -1) })),
            ], name: name(operands))[0]
    }
}
