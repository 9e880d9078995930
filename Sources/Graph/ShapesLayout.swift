/// Reshaping, and moving of axes.
extension OperatorCall {
    static let view: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        let name = call.schema.name == "aten::reshape" ? "shape" : "size"
        return [try call.resolve(call.dimensions(name), elements: shape)]
    }

    static let flatten: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        guard !shape.isEmpty else { return [[1]] }
        let start = try call.axis(call.int("start_dim"), rank: shape.count)
        let end = try call.axis(call.int("end_dim"), rank: shape.count)
        // bounded: the end is not before the start.
        guard start <= end, let merged = Shape(shape[start...end]).elementCount else {
            throw call.failure("Dimensions \(start) to \(end) of \(shape.text) cannot be merged.")
        }
        return [shape[..<start] + [merged] + shape[(end + 1)...]]
    }

    static let unflatten: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let sizes = try call.resolve(call.dimensions("sizes"), elements: [shape[axis]])
        return [shape[..<axis] + sizes + shape[(axis + 1)...]]
    }

    static let permute: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        if call.schema.name == "aten::movedim" {
            let source = try call.ints("source").map { try call.axis($0, rank: shape.count) }
            let destination = try call.ints("destination").map { try call.axis($0, rank: shape.count) }
            guard source.count == destination.count, Set(source).count == source.count,
                Set(destination).count == source.count
            else { throw call.failure("\(listed(source)) cannot be moved to \(listed(destination)).") }
            var rest = shape.indices.filter { !source.contains($0) }[...]
            let moved = Dictionary(uniqueKeysWithValues: zip(destination, source))
            return [shape.indices.map { shape[moved[$0] ?? rest.removeFirst()] }]
        }
        let axes = try call.ints("dims").map { try call.axis($0, rank: shape.count) }
        guard axes.count == shape.count, Set(axes).count == axes.count else {
            throw call.failure("\(listed(axes)) is no order of \(shape.count) dimensions.")
        }
        return [axes.map { shape[$0] }]
    }

    static let transpose: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        if call.schema.name == "aten::t" {
            guard shape.count <= 2 else { throw call.failure("\(shape.text) is no matrix.") }
            return [shape.reversed()]
        }
        if call.schema.name == "aten::numpy_T" { return [shape.reversed()] }
        if call.schema.name == "aten::mT" {
            guard shape.count >= 2 else { throw call.failure("\(shape.text) holds no matrices.") }
            shape.swapAt(shape.count - 2, shape.count - 1)
            return [shape]
        }
        let prefix = call.schema.name == "aten::swapaxes" ? "axis" : "dim"
        let first = try call.axis(call.int(prefix + "0"), rank: shape.count)
        let second = try call.axis(call.int(prefix + "1"), rank: shape.count)
        shape.swapAt(first, second)
        return [shape]
    }

    static let unsqueeze: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        shape.insert(1, at: try call.axis(call.int("dim"), rank: shape.count + 1))
        return [shape]
    }

    static let squeeze: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        var axes: Set<Int>
        switch call.schema.overload {
        case "":
            guard !shape.contains(where: { $0.batch != 0 }) else {
                throw call.failure("Which dimensions of \(shape.text) go depends on the batch size.")
            }
            axes = Set(shape.indices)
        case "dim": axes = [try call.axis(call.int("dim"), rank: shape.count)]
        default: axes = Set(try call.ints("dim").map { try call.axis($0, rank: shape.count) })
        }
        for axis in axes where shape[axis].batch != 0 {
            throw call.failure("Whether dimension \(axis) of \(shape.text) goes depends on the batch size.")
        }
        return [shape.indices.filter { !(axes.contains($0) && shape[$0] == 1) }.map { shape[$0] }]
    }

    static let expand: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        let sizes = try call.dimensions("size")
        guard sizes.count >= shape.count else {
            throw call.failure("\(shape.text) cannot be expanded to \(sizes.count) dimensions.")
        }
        let added = sizes.count - shape.count
        return [
            try sizes.enumerated().map { axis, size in
                guard axis >= added else {
                    guard size != -1 else { throw call.failure("A new dimension has no size.") }
                    return size
                }
                let old = shape[axis - added]
                if size == -1 || size == old { return old }
                guard old == 1 else {
                    throw call.failure("\(shape.text) cannot be expanded to \(sizes.text).")
                }
                return size
            }
        ]
    }

    static let reshapeAs: OperatorRule.ShapeFunction = { call in
        let (shape, other) = (try call.shape("self"), try call.shape("other"))
        guard let count = shape.elementCount, count == other.elementCount else {
            throw call.failure("\(shape.text) has other elements than \(other.text).")
        }
        return [other]
    }

    static let expandAs: OperatorRule.ShapeFunction = { call in
        let (shape, other) = (try call.shape("self"), try call.shape("other"))
        guard try call.broadcast(shape, other) == other else {
            throw call.failure("\(shape.text) cannot be expanded to \(other.text).")
        }
        return [other]
    }

    /// New sizes for the elements of a tensor, one of which may be -1.
    private func resolve(_ sizes: [Dimension], elements shape: Shape) throws -> Shape {
        let open = sizes.indices.filter { sizes[$0] == -1 }
        guard let count = shape.elementCount, open.count <= 1,
            let rest = Shape(sizes.enumerated().filter { !open.contains($0.offset) }.map(\.element))
                .elementCount
        else { throw failure("\(shape.text) cannot be given the sizes \(sizes.text).") }
        var result = sizes
        if let axis = open.first {
            guard let size = Dimension.quotient(count, rest) else {
                throw failure("\(shape.text) cannot be given the sizes \(sizes.text).")
            }
            result[axis] = size
        } else if rest != count {
            throw failure("\(shape.text) cannot be given the sizes \(sizes.text).")
        }
        return result
    }
}
