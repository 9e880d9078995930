// bounded in this file: integers by `OperatorRule.bounds`, also those that are computed; sizes by `GraphLimits`.

/// Parts of tensors, joined tensors, reductions, and integers computed from sizes.
extension OperatorCall {
    static let pad: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let name = call.schema.arguments.contains { $0.name == "pad" } ? "pad" : "padding"
        let amounts = try call.ints(name)
        guard amounts.count % 2 == 0, amounts.count / 2 <= shape.count else {
            throw call.failure("\(amounts.count) amounts of padding do not fit \(shape.text).")
        }
        let isConstant = call.schema.name == "aten::constant_pad_nd" || call.string("mode") == "constant"
        for pair in 0..<amounts.count / 2 {
            let axis = shape.count - 1 - pair
            let (before, after) = (amounts[2 * pair], amounts[2 * pair + 1])
            if before == 0, after == 0 { continue }
            guard let size = shape[axis].known, isConstant || max(before, after) <= size,
                size + before + after >= 1, size + min(before, 0) + min(after, 0) >= 0
            else { throw call.failure("\(shape.text) cannot be padded by \(listed(amounts)).") }
            shape[axis] = Dimension(size + before + after)
        }
        return [shape]
    }

    static let slice: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let step = try call.int("step")
        let start = call.has("start") ? try call.dimension("start") : 0
        let end = call.has("end") ? try call.dimension("end") : Dimension(.max)
        guard let size = shape[axis].known else {
            // Along the batch only the whole may be taken.
            guard start == 0, step == 1, end == shape[axis] || end.known.map({ $0 >= 1 << 31 }) == true else {
                throw call.failure("It takes a part of the batch.")
            }
            return [shape]
        }
        guard let from = start.known, let to = end.known else {
            throw call.failure("The bounds depend on the batch size.")
        }
        func place(_ index: Int) -> Int { min(max(index < 0 ? index + size : index, 0), size) }
        guard place(from) < place(to) else { throw call.failure("The slice of \(shape.text) is empty.") }
        shape[axis] = Dimension((place(to) - place(from) - 1) / step + 1)
        return [shape]
    }

    static let select: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let index = try call.int("index")
        guard let size = shape[axis].known, (-size..<size).contains(index) else {
            throw call.failure("Index \(index) is outside dimension \(axis) of \(shape.text).")
        }
        shape.remove(at: axis)
        return [shape]
    }

    static let narrow: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let (start, length) = (try call.int("start"), try call.int("length"))
        guard let size = shape[axis].known, length >= 1, length <= size,
            (-size...size - length).contains(start),
            start >= 0 || start + size + length <= size
        else { throw call.failure("\(length) from \(start) is outside dimension \(axis) of \(shape.text).") }
        shape[axis] = Dimension(length)
        return [shape]
    }

    static let concatenate: OperatorRule.ShapeFunction = { call in
        let shapes = try call.shapes("tensors")
        var result = shapes[0]
        let axis = try call.axis(call.int("dim"), rank: result.count)
        for shape in shapes.dropFirst() {
            guard shape.count == result.count,
                shape.indices.allSatisfy({ $0 == axis || shape[$0] == result[$0] }),
                let sum = Dimension.sum(result[axis], shape[axis])
            else { throw call.failure("\(result.text) and \(shape.text) do not fit together.") }
            result[axis] = sum
        }
        return [result]
    }

    static let stack: OperatorRule.ShapeFunction = { call in
        let shapes = try call.shapes("tensors")
        var result = shapes[0]
        guard shapes.allSatisfy({ $0 == result }) else {
            throw call.failure("The tensors are of different shapes.")
        }
        result.insert(Dimension(shapes.count), at: try call.axis(call.int("dim"), rank: result.count + 1))
        return [result]
    }

    static let split: OperatorRule.ShapeFunction = { call in
        try call.parts(every: call.int("split_size"))
    }

    static let chunk: OperatorRule.ShapeFunction = { call in
        let chunks = try call.int("chunks")
        return try call.parts(every: (call.partedSize() - 1) / chunks + 1)
    }

    static let splitWithSizes: OperatorRule.ShapeFunction = { call in
        let sizes = try call.ints(call.schema.overload == "sizes" ? "split_size" : "split_sizes")
        return try call.parts(sizes)
    }

    static let unbind: OperatorRule.ShapeFunction = { call in
        let size = try call.partedSize()
        var shape = try call.shape("self")
        shape.remove(at: try call.axis(call.int("dim"), rank: shape.count))
        guard call.node.outputs.count == size else {
            throw call.failure("\(size) parts, and yet \(call.node.outputs.count) results.")
        }
        return Array(repeating: shape, count: size)
    }

    static let sort: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        guard let size = shape[axis].known else { throw call.failure("It sorts the images of a batch.") }
        try call.count(shape, perElement: max(1, Int.bitWidth - size.leadingZeroBitCount))
        return Array(repeating: shape, count: call.schema.resultCount ?? 1)
    }

    static let oneHot: OperatorRule.ShapeFunction = { call in
        let classes = try call.int("num_classes")
        guard classes >= 1 else { throw call.failure("The number of classes follows from the images.") }
        return [try call.shape("self") + [Dimension(classes)]]
    }

    static let topK: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let count = try call.int("k")
        guard let size = shape[axis].known, (1...size).contains(count) else {
            throw call.failure("\(count) cannot be taken of dimension \(axis) of \(shape.text).")
        }
        try call.count(shape, perElement: max(1, Int.bitWidth - size.leadingZeroBitCount))
        shape[axis] = Dimension(count)
        return Array(repeating: shape, count: call.schema.resultCount ?? 1)
    }

    /// One of the sorted values.
    static let kthValue: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let place = try call.int("k")
        guard let size = shape[axis].known, (1...size).contains(place) else {
            throw call.failure("Value \(place) cannot be taken of dimension \(axis) of \(shape.text).")
        }
        try call.count(shape, perElement: max(1, Int.bitWidth - size.leadingZeroBitCount))
        if call.bool("keepdim") { shape[axis] = 1 } else { shape.remove(at: axis) }
        return [shape, shape]
    }

    /// Differences of neighbours, `n` times.
    static let difference: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let times = try call.int("n")
        guard try call.optionalShape("prepend") == nil, try call.optionalShape("append") == nil else {
            throw call.failure("Differences with something before or behind are not supported.")
        }
        guard let size = shape[axis].known, (0..<size).contains(times) else {
            throw call.failure(
                "\(times) differences cannot be taken along dimension \(axis) of \(shape.text).")
        }
        shape[axis] = Dimension(size - times)
        return [shape]
    }

    /// By quarters of a turn.
    static let rotated: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axes = try call.ints("dims").map { try call.axis($0, rank: shape.count) }
        let turns = try call.int("k")
        guard axes.count == 2, axes[0] != axes[1], axes.allSatisfy({ shape[$0].known != nil }) else {
            throw call.failure("\(shape.text) cannot be turned so.")
        }
        if turns % 2 != 0 { shape.swapAt(axes[0], axes[1]) }
        return [shape]
    }

    static let reduction: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        let dims = call.has("dim") ? try call.ints("dim").map { try call.axis($0, rank: shape.count) } : []
        let axes = Set(dims.isEmpty ? Array(shape.indices) : dims)
        let result =
            call.bool("keepdim")
            ? shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
            : shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
        return Array(repeating: result, count: call.schema.resultCount ?? 1)
    }

    /// Of `sym::` operators the one integer stands for its value.
    static let symbolicSize: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        return [[shape[try call.axis(call.int("dim"), rank: shape.count)]]]
    }

    static let symbolicArithmetic: OperatorRule.ShapeFunction = { call in
        let (a, b) = (try call.dimension("a"), try call.dimension("b"))
        let result =
            switch call.schema.name {
            case "sym::add": Dimension.sum(a, b)
            case "sym::sub": Dimension.difference(a, b)
            case "sym::mul": Dimension.product(a, b)
            default: call.floorQuotient(a, b)
            }
        guard let result else { throw call.failure("It cannot be told for every batch size.") }
        return [[result]]
    }

    private func floorQuotient(_ a: Dimension, _ b: Dimension) -> Dimension? {
        if let dividend = a.known, let divisor = b.known, dividend >= 0, divisor > 0 {
            return Dimension(dividend / divisor)
        }
        return Dimension.quotient(a, b)
    }

    private func partedSize() throws -> Int {
        let shape = try shape("self")
        let axis = try axis(int("dim"), rank: shape.count)
        guard let size = shape[axis].known, size > 0 else { throw failure("It takes the batch apart.") }
        return size
    }

    private func parts(every length: Int) throws -> [Shape] {
        let size = try partedSize()
        guard (size - 1) / length + 1 == node.outputs.count else {
            throw failure("\((size - 1) / length + 1) parts, and yet \(node.outputs.count) results.")
        }
        return try parts(stride(from: 0, to: size, by: length).map { min(length, size - $0) })
    }

    private func parts(_ sizes: [Int]) throws -> [Shape] {
        var shape = try shape("self")
        let size = try partedSize()
        var left = size
        for part in sizes {
            guard part <= left else { throw failure("The parts \(listed(sizes)) are more than \(size).") }
            left -= part
        }
        guard left == 0, sizes.count == node.outputs.count else {
            throw failure("The parts \(listed(sizes)) do not make up \(size), or there are too many results.")
        }
        let axis = try axis(int("dim"), rank: shape.count)
        return sizes.map { part in
            shape[axis] = Dimension(part)
            return shape
        }
    }
}
