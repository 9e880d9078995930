import Support

/// Picking elements by index, writing parts, and creation.
extension OperatorCall {
    /// Advanced indexing by whole numbers. The results of all indices broadcast to one block, which stands where
    /// the first index was when the indexed dimensions are neighbours, else in front.
    static let index: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("self")
        guard case .optionalTensors(let indices)? = call.node.argument("indices"), !indices.isEmpty,
            indices.count <= shape.count
        else { throw call.failure("There are too many or too few indices for \(shape.text).") }
        var block: Shape = []
        var axes: [Int] = []
        for (axis, index) in indices.enumerated() {
            guard let index else { continue }
            guard shape[axis].batch == 0 else { throw call.failure("It indexes the batch.") }
            block = try call.broadcast(block, call.shape(of: index))
            axes.append(axis)
        }
        guard let first = axes.first, let last = axes.last else { return [shape] }
        // bounded: axes of one tensor.
        let areNeighbours = last - first + 1 == axes.count
        var result = shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
        result.insert(contentsOf: block, at: areNeighbours ? first : 0)
        return [result]
    }

    static let indexPut: OperatorRule.ShapeFunction = { call in
        let (shape, values) = (try call.shape("self"), try call.shape("values"))
        guard let place = try OperatorCall.index(&call).first, try call.broadcast(values, place) == place
        else {
            throw call.failure("\(values.text) does not fit the indexed part of \(shape.text).")
        }
        return [shape]
    }

    static let indexSelect: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        let index = try call.shape("index")
        guard index.count <= 1, shape[axis].batch == 0 else {
            throw call.failure(
                "An index of \(index.text) does not select from dimension \(axis) of \(shape.text).")
        }
        shape[axis] = index.first ?? 1
        return [shape]
    }

    static let gather: OperatorRule.ShapeFunction = { call in
        let (shape, index) = (try call.shape("self"), try call.shape("index"))
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        guard shape.count == index.count,
            shape.indices.allSatisfy({ $0 == axis ? shape[$0].batch == 0 : shape[$0] == index[$0] })
        else { throw call.failure("An index of \(index.text) does not gather from \(shape.text).") }
        return [index]
    }

    static let embedding: OperatorRule.ShapeFunction = { call in
        let weight = try call.shape("weight")
        guard weight.count == 2, !call.bool("sparse"), !call.bool("scale_grad_by_freq") else {
            throw call.failure("“weight” has the shape \(weight.text), or gradients would be sparse.")
        }
        return [try call.shape("indices") + [weight[1]]]
    }

    static let sliceScatter: OperatorRule.ShapeFunction = { call in
        let (shape, source) = (try call.shape("self"), try call.shape("src"))
        guard try OperatorCall.slice(&call) == [source] else {
            throw call.failure("\(source.text) does not fit the slice of \(shape.text).")
        }
        return [shape]
    }

    static let selectScatter: OperatorRule.ShapeFunction = { call in
        let (shape, source) = (try call.shape("self"), try call.shape("src"))
        guard try OperatorCall.select(&call) == [source] else {
            throw call.failure("\(source.text) does not fit the selection from \(shape.text).")
        }
        return [shape]
    }

    static let repeated: OperatorRule.ShapeFunction = { call in
        let isTile = call.schema.name == "aten::tile"
        var shape = try call.shape("self")
        var repeats = try call.dimensions(isTile ? "dims" : "repeats")
        if isTile, repeats.count < shape.count {
            repeats = Shape(repeating: 1, count: shape.count - repeats.count) + repeats
        }
        guard repeats.count >= shape.count else {
            throw call.failure("\(repeats.count) repetitions do not fit \(shape.text).")
        }
        shape = Shape(repeating: 1, count: repeats.count - shape.count) + shape
        return [
            try zip(shape, repeats).map { size, count in
                guard let product = Dimension.product(size, count) else {
                    throw call.failure("\(shape.text) cannot be repeated \(repeats.text) times.")
                }
                // Repeating the batch would mix images.
                guard size.batch == 0 || count == 1 else { throw call.failure("It repeats the batch.") }
                return product
            }
        ]
    }

    static let repeatInterleave: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        guard call.has("dim") else { throw call.failure("It repeats all elements of \(shape.text).") }
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        guard shape[axis].batch == 0, let size = Dimension.product(shape[axis], try call.dimension("repeats"))
        else { throw call.failure("Dimension \(axis) of \(shape.text) cannot be repeated.") }
        shape[axis] = size
        return [shape]
    }

    static let arange: OperatorRule.ShapeFunction = { call in
        // One number for each image.
        if call.schema.overload.isEmpty, case .int(.computed)? = call.node.argument("end") {
            return [[try call.dimension("end")]]
        }
        let start = call.schema.overload.isEmpty ? 0 : try call.number("start")
        let step =
            call.schema.overload == "start_step" && call.node.argument("step") != nil
            ? try call.number("step") : 1
        let length = ((try call.number("end") - start) / step).rounded(.up)
        guard step != 0, let count = Checked.whole(length, in: 1...65_536) else {
            throw call.failure("\(start) in steps of \(step) has no number of elements from 1 to 65,536.")
        }
        return [[Dimension(count)]]
    }

    static let meshgrid: OperatorRule.ShapeFunction = { call in
        var shape = try call.shapes("tensors").map { list in
            guard list.count == 1, list[0].batch == 0 else { throw call.failure("\(list.text) is no list.") }
            return list[0]
        }
        if call.string("indexing") == "xy", shape.count >= 2 { shape.swapAt(0, 1) }
        return Array(repeating: shape, count: shape.count)
    }

    static let scalarTensor: OperatorRule.ShapeFunction = { _ in [[]] }

    static let creation: OperatorRule.ShapeFunction = { call in [try call.dimensions("size")] }

    /// A scalar argument that is known.
    private func number(_ name: String) throws -> Double {
        switch node.argument(name) {
        case .int(.known(let value))?: return Double(value)
        case .float(let value)?: return value
        default: throw failure("“\(name)” is no known number.")
        }
    }
}
