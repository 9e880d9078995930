/// Element by element, and normalisations.
extension OperatorCall {
    static let sameShape: OperatorRule.ShapeFunction = { call in
        let shape = try call.firstShape()
        return Array(repeating: shape, count: call.schema.resultCount ?? 1)
    }

    static let exponent: OperatorRule.ShapeFunction = { call in [try call.shape("exponent")] }

    /// A direction and a length for each place along one axis, or one for all.
    static let weightNorm: OperatorRule.ShapeFunction = { call in
        let (direction, length) = (try call.shape("v"), try call.shape("g"))
        let axis = try call.int("dim")
        let expected = direction.indices.map { $0 == axis ? direction[$0] : 1 }
        guard axis == -1 ? length.elementCount == 1 : direction.indices.contains(axis) && length == expected
        else { throw call.failure("\(length.text) are no lengths of \(direction.text).") }
        return [direction]
    }

    static let broadcast: OperatorRule.ShapeFunction = { call in
        var shape = try call.optionalShape("self") ?? []
        let first = shape
        for name in [
            "condition", "other", "end", "exponent", "mask", "value", "src", "min", "max", "tensor1",
            "tensor2",
        ] {
            if let other = try call.optionalShape(name) { shape = try call.broadcast(shape, other) }
        }
        let keepsShape = call.schema.arguments.first?.isMutated == true || call.schema.name == "aten::copy"
        if keepsShape, shape != first {
            throw call.failure("The result \(shape.text) does not fit into \(first.text).")
        }
        return [shape]
    }

    static let prelu: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        let weight = try call.shape("weight")
        let perChannel = shape.count >= 2 ? [shape[1]] : [1]
        guard weight == [1] || weight == perChannel || (try? call.broadcast(shape, weight)) == shape else {
            throw call.failure("“weight” has the shape \(weight.text) for \(shape.text).")
        }
        return [shape]
    }

    static let softmax: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        _ = try call.axis(call.int("dim"), rank: shape.count)
        return [shape]
    }

    static let batchNorm: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("input")
        guard (2...5).contains(shape.count), let channels = shape[1].known else {
            throw call.failure("\(shape.text) is not (N, channels, …).")
        }
        for name in ["weight", "bias", "running_mean", "running_var"] {
            try call.requireVector(name, channels)
        }
        // The saved statistics are for the backward pass, the last two of the functional form are the
        // new running ones: one number a channel at most.
        let statistics = Array(repeating: [Dimension(channels)], count: (call.schema.resultCount ?? 1) - 1)
        return [shape] + statistics
    }

    static let layerNorm: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("input")
        let normalised = try call.dimensions("normalized_shape")
        guard !normalised.isEmpty, shape.suffix(normalised.count).elementsEqual(normalised) else {
            throw call.failure("\(shape.text) does not end with \(normalised.text).")
        }
        for name in ["weight", "bias"] {
            guard let other = try call.optionalShape(name), other != normalised else { continue }
            throw call.failure("“\(name)” has the shape \(other.text), not \(normalised.text).")
        }
        let statistics = shape.dropLast(normalised.count) + Shape(repeating: 1, count: normalised.count)
        return call.schema.resultCount == 1 ? [shape] : [shape, Array(statistics), Array(statistics)]
    }

    static let groupNorm: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("input")
        let isNative = call.schema.resultCount == 3
        let groups = try call.int(isNative ? "group" : "num_groups")
        guard shape.count >= 2, let channels = shape[1].known, channels % groups == 0 else {
            throw call.failure("\(groups) groups do not divide the channels of \(shape.text).")
        }
        for name in ["weight", "bias"] { try call.requireVector(name, channels) }
        guard isNative else { return [shape] }
        guard let pixels = Shape(shape.dropFirst(2)).elementCount, try call.dimension("N") == shape[0],
            try call.int("C") == channels, try call.dimension("HxW") == pixels
        else { throw call.failure("N, C and HxW contradict \(shape.text).") }
        return [shape, [shape[0], Dimension(groups)], [shape[0], Dimension(groups)]]
    }
}
