import Support

/// Matrix products and attention.
extension OperatorCall {
    static let linear: OperatorRule.ShapeFunction = { call in
        let input = try call.shape("input")
        let weight = try call.shape("weight")
        guard weight.count == 2, let outputs = weight[0].known, let inputs = weight[1].known,
            input.last == weight[1]
        else { throw call.failure("\(input.text) does not fit a weight of \(weight.text).") }
        try call.requireVector("bias", outputs)
        let result = input.dropLast() + [weight[0]]
        try call.count(Array(result), perElement: inputs)
        return [Array(result)]
    }

    static let matmul: OperatorRule.ShapeFunction = { call in
        let name = call.schema.name == "aten::matmul" ? "other" : "mat2"
        let (first, second) = (try call.shape("self"), try call.shape(name))
        let rank = call.schema.name == "aten::mm" ? 2 : call.schema.name == "aten::bmm" ? 3 : nil
        if let rank, first.count != rank || second.count != rank {
            throw call.failure("\(first.text) and \(second.text) are not of rank \(rank).")
        }
        return [try call.product(first, second)]
    }

    /// A matrix or a vector, and a vector.
    static let matrixVector: OperatorRule.ShapeFunction = { call in
        let name =
            call.schema.name == "aten::mv" ? "vec" : call.schema.name == "aten::dot" ? "tensor" : "other"
        let (first, second) = (try call.shape("self"), try call.shape(name))
        guard second.count == 1, first.count == (call.schema.name == "aten::mv" ? 2 : 1),
            first.last == second[0]
        else { throw call.failure("\(first.text) and \(second.text) do not fit together.") }
        return [Shape(first.dropLast())]
    }

    /// One number for each pair of vectors along a dimension.
    static let similarity: OperatorRule.ShapeFunction = { call in
        var shape = try call.broadcast(call.shape("x1"), call.shape("x2"))
        shape.remove(at: try call.axis(call.int("dim"), rank: shape.count))
        return [shape]
    }

    /// One number for each pair of rows that stand beside one another.
    static let pairwiseDistance: OperatorRule.ShapeFunction = { call in
        var shape = try call.broadcast(call.shape("x1"), call.shape("x2"))
        guard let last = shape.popLast(), last.known != nil else {
            throw call.failure("It takes the distance along the batch.")
        }
        return [call.bool("keepdim") ? shape + [1] : shape]
    }

    /// One number for each row of the one and each of the other.
    static let distances: OperatorRule.ShapeFunction = { call in
        let (first, second) = (try call.shape("x1"), try call.shape("x2"))
        guard first.count >= 2, second.count >= 2, first.last == second.last,
            let features = first[first.count - 1].known
        else { throw call.failure("\(first.text) and \(second.text) are not rows of one length.") }
        let batch = try call.broadcast(Array(first.dropLast(2)), Array(second.dropLast(2)))
        let result = batch + [first[first.count - 2], second[second.count - 2]]
        try call.count(result, perElement: max(1, features))
        return [result]
    }

    static let cross: OperatorRule.ShapeFunction = { call in
        let shape = try call.broadcast(call.shape("self"), call.shape("other"))
        guard call.has("dim") else { throw call.failure("The dimension of the vectors is not named.") }
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        guard shape[axis] == 3 else {
            throw call.failure("Dimension \(axis) of \(shape.text) has not 3 elements.")
        }
        return [shape]
    }

    static let addmm: OperatorRule.ShapeFunction = { call in
        let isBatched = call.schema.name == "aten::baddbmm"
        let first = try call.shape(isBatched ? "batch1" : "mat1")
        let second = try call.shape(isBatched ? "batch2" : "mat2")
        guard first.count == (isBatched ? 3 : 2), second.count == first.count else {
            throw call.failure("\(first.text) and \(second.text) are of the wrong rank.")
        }
        let result = try call.product(first, second)
        let added = try call.shape("self")
        guard try call.broadcast(added, result) == result else {
            throw call.failure("\(added.text) does not broadcast to \(result.text).")
        }
        return [result]
    }

    static let attention: OperatorRule.ShapeFunction = { call in
        let query = try call.shape("query")
        let key = try call.shape("key")
        let value = try call.shape("value")
        let isFused = call.schema.resultCount == 2
        guard isFused || !call.bool("enable_gqa") else {
            throw call.failure("Grouped queries are not supported.")
        }
        guard query.count >= 2, key.count == query.count, value.count == query.count,
            query.dropLast(2) == key.dropLast(2), query.dropLast(2) == value.dropLast(2),
            query.last == key.last, key[key.count - 2] == value[value.count - 2]
        else { throw call.failure("\(query.text), \(key.text) and \(value.text) do not fit together.") }
        let length = query.count
        // The weights of attention: one for each pair of places.
        let weights = query.dropLast(1) + [key[length - 2]]
        if let mask = try call.optionalShape("attn_mask") {
            guard try call.broadcast(mask, Array(weights)) == Array(weights) else {
                throw call.failure("The mask \(mask.text) does not fit.")
            }
        }
        guard let features = query[length - 1].known, let outputs = value[length - 1].known else {
            throw call.failure("The features depend on the batch size.")
        }
        try call.count(Array(weights), perElement: features)
        try call.count(Array(weights), perElement: outputs)
        let result = Array(query.dropLast() + [value[length - 1]])
        return isFused ? [result, Array(query.dropLast())] : [result]
    }

    /// The shape of a matrix product as `torch.matmul` defines it.
    private mutating func product(_ first: Shape, _ second: Shape) throws -> Shape {
        guard !first.isEmpty, !second.isEmpty else { throw failure("A scalar has no matrix product.") }
        let a = first.count == 1 ? [1] + first : first
        let b = second.count == 1 ? second + [1] : second
        let inner = a[a.count - 1]
        guard inner == b[b.count - 2] else {
            throw failure("\(first.text) and \(second.text) have no product.")
        }
        let batch = try broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)))
        let full = batch + [a[a.count - 2], b[b.count - 1]]
        guard let each = Checked.sum(inner.batch, inner.constant) else {
            throw failure("\(first.text) is too large.")
        }
        try count(full, perElement: each)
        var result = full
        if second.count == 1 { result.removeLast() }
        if first.count == 1 { result.remove(at: batch.count) }
        return result
    }
}
