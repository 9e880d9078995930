import Support

/// One node with its operator and the shapes of what it reads: what shape functions see.
struct OperatorCall {
    /// What is known of a value.
    enum Value: Hashable {
        case tensor(Shape)
        case integer(Dimension)
    }

    let node: Graph.Node
    let schema: OperatorSchema
    let values: [Value?]
    /// Multiply-adds for one image, as far as they matter.
    var multiplyAdds = 0

    init(node: Graph.Node, schema: OperatorSchema, values: [Value?]) {
        self.node = node
        self.schema = schema
        self.values = values
    }

    func failure(_ detail: String) -> Problem { GraphFault.shape.problem(detail, node: node) }

    // MARK: Arguments, defaults included

    func has(_ name: String) -> Bool {
        switch node.argument(name) {
        case .none?: false
        case nil: defaultValue(name).map { $0 != .none && $0 != .required } ?? false
        default: true
        }
    }

    private func defaultValue(_ name: String) -> OperatorSchema.Default? {
        schema.arguments.first { $0.name == name }?.defaultValue
    }

    func shape(of value: Graph.ValueID) throws -> Shape {
        guard values.indices.contains(value), case .tensor(let shape)? = values[value] else {
            throw GraphFault.structure.problem("It reads a tensor that is not there.", node: node)
        }
        return shape
    }

    func shape(_ name: String) throws -> Shape {
        guard case .tensor(let value)? = node.argument(name) else {
            throw GraphFault.argument.problem("Argument “\(name)” is no tensor.", node: node)
        }
        return try shape(of: value)
    }

    func optionalShape(_ name: String) throws -> Shape? {
        guard case .tensor? = node.argument(name) else { return nil }
        return try shape(name)
    }

    func shapes(_ name: String) throws -> [Shape] {
        guard case .tensors(let list)? = node.argument(name) else {
            throw GraphFault.argument.problem("Argument “\(name)” is no list of tensors.", node: node)
        }
        return try list.map { try shape(of: $0) }
    }

    /// The shape of the first argument, whatever its name.
    func firstShape() throws -> Shape {
        guard let name = schema.arguments.first?.name else { throw failure("There is no first argument.") }
        return try shape(name)
    }

    /// What was computed keeps the bounds of what is written out.
    private func dimension(_ value: Graph.SymbolicInt, _ name: String) throws -> Dimension {
        switch value {
        case .known(let number): return Dimension(Int(widened: number))
        case .computed(let id):
            guard values.indices.contains(id), case .integer(let dimension)? = values[id] else {
                throw GraphFault.structure.problem("It reads an integer that is not there.", node: node)
            }
            if let reason = OperatorRule.refusal(of: dimension, name) {
                throw GraphFault.argument.problem("Argument “\(name)” \(reason).", node: node)
            }
            return dimension
        }
    }

    /// Resolves every integer that was computed, also those that the shapes do not depend on.
    func checkComputedIntegers() throws {
        for argument in node.arguments {
            switch argument.value {
            case .int(let value): _ = try dimension(value, argument.name)
            case .ints(let values): for value in values { _ = try dimension(value, argument.name) }
            default: continue
            }
        }
    }

    func dimension(_ name: String) throws -> Dimension {
        switch node.argument(name) {
        case .int(let value)?: return try dimension(value, name)
        case nil:
            if case .int(let number)? = defaultValue(name) { return Dimension(number) }
            fallthrough
        default: throw GraphFault.argument.problem("Argument “\(name)” is no integer.", node: node)
        }
    }

    func dimensions(_ name: String) throws -> [Dimension] {
        switch node.argument(name) {
        case .ints(let list)?: return try list.map { try dimension($0, name) }
        case .int(let value)?: return [try dimension(value, name)]
        case nil:
            if case .ints(let numbers)? = defaultValue(name) { return numbers.map { Dimension($0) } }
            fallthrough
        default: throw GraphFault.argument.problem("Argument “\(name)” is no list of integers.", node: node)
        }
    }

    func int(_ name: String) throws -> Int {
        guard let number = try dimension(name).known else {
            throw failure("Argument “\(name)” depends on the batch size.")
        }
        return number
    }

    func ints(_ name: String) throws -> [Int] {
        try dimensions(name).map { dimension in
            guard let number = dimension.known else {
                throw failure("Argument “\(name)” depends on the batch size.")
            }
            return number
        }
    }

    /// Height and width.
    func pair(_ name: String) throws -> (Int, Int) {
        let numbers = try ints(name)
        switch numbers.count {
        case 1: return (numbers[0], numbers[0])
        case 2: return (numbers[0], numbers[1])
        default: throw failure("Argument “\(name)” has \(numbers.count) items, not 2.")
        }
    }

    func bool(_ name: String) -> Bool {
        switch node.argument(name) {
        case .bool(let value)?: value
        case nil: defaultValue(name) == .bool(true)
        default: false
        }
    }

    func string(_ name: String) -> String? {
        switch node.argument(name) {
        case .string(let value)?: value
        case nil:
            if case .string(let value)? = defaultValue(name) { value } else { nil }
        default: nil
        }
    }

    // MARK: Common steps

    /// `dim` counted from the front.
    func axis(_ dim: Int, rank: Int) throws -> Int {
        let axis = dim < 0 ? dim + rank : dim
        guard (0..<rank).contains(axis) else {
            throw failure("Dimension \(dim) is outside a tensor of rank \(rank).")
        }
        return axis
    }

    func image(_ name: String) throws -> (batch: Dimension, channels: Int, height: Int, width: Int) {
        let shape = try shape(name)
        guard shape.count == 4, let channels = shape[1].known, let height = shape[2].known,
            let width = shape[3].known
        else { throw failure("\(shape.text) is not (N, channels, height, width).") }
        return (shape[0], channels, height, width)
    }

    func requireVector(_ name: String, _ length: Int) throws {
        guard let shape = try optionalShape(name) else { return }
        guard shape == [Dimension(length)] else {
            throw failure("“\(name)” has the shape \(shape.text), not (\(length)).")
        }
    }

    /// Counts `perElement` multiply-adds for each element of a result.
    mutating func count(_ result: Shape, perElement: Int) throws {
        guard let elements = result.elementCount else { throw failure("\(result.text) is too large.") }
        let (atOne, overflow) = elements.batch.addingReportingOverflow(elements.constant)
        let (product, productOverflow) = atOne.multipliedReportingOverflow(by: perElement)
        let (sum, sumOverflow) = multiplyAdds.addingReportingOverflow(product)
        guard !overflow, !productOverflow, !sumOverflow else {
            throw GraphFault.tooLarge.problem("The computation is too long.", node: node)
        }
        multiplyAdds = sum
    }

    func broadcast(_ a: Shape, _ b: Shape) throws -> Shape {
        let rank = max(a.count, b.count)
        let padded = [a, b].map { Shape(repeating: 1, count: rank - $0.count) + $0 }
        return try zip(padded[0], padded[1]).map { first, second in
            if first == second || second == 1 { return first }
            if first == 1 { return second }
            throw failure("\(a.text) and \(b.text) do not broadcast.")
        }
    }
}
