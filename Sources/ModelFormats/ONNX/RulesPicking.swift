import Graph
import Support

/// Parts of tensors, and padding.
extension ONNXTranslator {
    static let picking: [String: Rule] = [
        "Slice": slice, "Split": split, "Gather": gather, "Pad": pad,
        "GatherND": { translator, operands in
            let input = try operands.value(0)
            guard operands.call.int("batch_dims") ?? 0 == 0 else {
                throw operands.call.failure("Batch dimensions are not supported.")
            }
            let indices = try translator.places(operands)
            return [
                try translator.emit(
                    "aten::index", "Tensor",
                    [("self", .tensor(translator.tensor(input))), ("indices", .optionalTensors(indices))],
                    operands,
                    type: translator.type(input))
            ]
        },
        "ScatterND": { translator, operands in
            let input = try operands.value(0)
            guard operands.call.string("reduction") ?? "none" == "none" else {
                throw operands.call.failure("Reductions are not supported.")
            }
            let indices = try translator.places(operands)
            return [
                try translator.emit(
                    "aten::index_put", "",
                    [
                        ("self", .tensor(translator.tensor(input))), ("indices", .optionalTensors(indices)),
                        ("values", .tensor(translator.tensor(operands, 2))),
                    ], operands, type: translator.type(input))
            ]
        },
        "GatherElements": { translator, operands in
            let axis = operands.call.int("axis") ?? 0
            return [
                try translator.emit(
                    "aten::gather", "",
                    [
                        ("self", .tensor(translator.tensor(operands, 0))), ("dim", int(axis)),
                        ("index", .tensor(translator.tensor(operands, 1))),
                    ], operands, type: translator.type(operands.value(0)))
            ]
        },
        "CumSum": { translator, operands in
            guard let axis = try translator.integers(operands, 1)?.first,
                operands.call.int("exclusive") ?? 0 == 0,
                operands.call.int("reverse") ?? 0 == 0
            else { throw operands.call.failure("Only the plain sum along a fixed axis is supported.") }
            return [
                try translator.emit(
                    "aten::cumsum", "",
                    [("self", .tensor(translator.tensor(operands, 0))), ("dim", int(axis))], operands,
                    type: translator.type(operands.value(0)))
            ]
        },
        "Trilu": { translator, operands in
            let diagonal = try translator.integers(operands, 1)?.first ?? 0
            return [
                try translator.emit(
                    operands.call.int("upper") ?? 1 != 0 ? "aten::triu" : "aten::tril", "",
                    [("self", .tensor(translator.tensor(operands, 0))), ("diagonal", int(diagonal))],
                    operands,
                    type: translator.type(operands.value(0)))
            ]
        },
    ]

    /// Known indices (…, k) as one list for each of the first k dimensions.
    private mutating func places(_ operands: Operands) throws -> [Graph.ValueID?] {
        guard let known = try known(operands.value(1)), let depth = known.shape.last, depth >= 1 else {
            throw operands.call.failure("The indices are computed from the images.")
        }
        // bounded: the depth is at least 1, and the elements are few.
        return try (0..<depth).map { axis in
            let positions = Array(stride(from: axis, to: known.count, by: depth))
            return try tensor(.known(known.picked(positions, shape: Array(known.shape.dropLast()))))
        }
    }

    private static let slice: Rule = { translator, operands in
        let input = try operands.value(0)
        let shape = translator.shape(input)
        guard let starts = try translator.known(operands.value(1))?.dimensions,
            let ends = try translator.known(operands.value(2))?.dimensions, starts.count == ends.count
        else { throw operands.call.failure("The bounds are computed from the images.") }
        let axes = try translator.integers(operands, 3) ?? Array(starts.indices)
        let steps = try translator.integers(operands, 4) ?? starts.map { _ in 1 }
        guard axes.count == starts.count, steps.count == starts.count else {
            throw operands.call.failure("There are not as many axes or steps as bounds.")
        }
        var result = input
        for (index, number) in axes.enumerated() {
            let axis = try translator.axis(number, shape.count, operands)
            let (start, end, step) = (starts[index], ends[index], steps[index])
            let size = translator.shape(result)[axis]
            if step == -1, start == -1 || start.known.map({ $0 >= (size.known ?? .max) - 1 }) == true,
                end.known.map({ $0 < -(size.known ?? 0) }) == true, size.batch == 0
            {
                result = try translator.emit(
                    "aten::flip", "", [("self", .tensor(translator.tensor(result))), ("dims", ints([axis]))],
                    operands,
                    type: translator.type(input))
                continue
            }
            guard step >= 1 else { throw operands.call.failure("A step of \(step) is not supported.") }
            if start == 0, step == 1, end == size || end.known.map({ $0 >= 1 << 31 }) == true { continue }
            // The whole of one image is the whole of every one.
            if size.batch != 0, translator.fixedBatch != nil, start == 0, step == 1,
                end.known.map({ $0 >= translator.fixedBatch ?? .max }) == true
            {
                continue
            }
            guard let from = start.known, let to = end.known else {
                throw operands.call.failure("The bounds depend on the batch.")
            }
            result = try translator.emit(
                "aten::slice", "Tensor",
                [
                    ("self", .tensor(translator.tensor(result))), ("dim", int(axis)), ("start", int(from)),
                    ("end", int(to)), ("step", int(step)),
                ], operands, type: translator.type(input))
        }
        return [result]
    }

    private static let split: Rule = { translator, operands in
        let input = try operands.value(0)
        let shape = translator.shape(input)
        let axis = try translator.axis(operands.call.int("axis") ?? 0, shape.count, operands)
        let count = operands.call.node.output.count
        guard let size = shape[axis].known, count >= 1 else {
            throw operands.call.failure("It splits the batch.")
        }
        var sizes = try operands.call.ints("split") ?? translator.integers(operands, 1)
        if sizes == nil {
            // bounded: sizes by `GraphLimits`, parts by the number of operands.
            let length = (size + count - 1) / count
            // bounded: the same.
            sizes = (0..<count).map { min(length, size - $0 * length) }
        }
        let parts = try translator.builder.call(
            "aten::split_with_sizes", "",
            [
                ("self", .tensor(translator.tensor(input))), ("split_sizes", ints(sizes ?? [])),
                ("dim", int(axis)),
            ],
            name: translator.name(operands), results: count)
        return parts.map { .tensor($0, translator.type(input)) }
    }

    private static let gather: Rule = { translator, operands in
        let input = try operands.value(0)
        let shape = translator.shape(input)
        let axis = try translator.axis(operands.call.int("axis") ?? 0, shape.count, operands)
        let index = try operands.value(1)
        let type = translator.type(input)
        if let known = try translator.known(index), known.shape.isEmpty,
            let place = known.knownIntegers?.first
        {
            if shape[axis].batch != 0 {
                throw GraphFault.shape.problem("It takes one image out of the batch.")
            }
            return [
                try translator.emit(
                    "aten::select", "int",
                    [("self", .tensor(translator.tensor(input))), ("dim", int(axis)), ("index", int(place))],
                    operands,
                    type: type)
            ]
        }
        let indices =
            Array(repeating: Graph.ValueID?.none, count: axis) + [try translator.tensor(index)]
        return [
            try translator.emit(
                "aten::index", "Tensor",
                [("self", .tensor(translator.tensor(input))), ("indices", .optionalTensors(indices))],
                operands, type: type)
        ]
    }

    private static let pad: Rule = { translator, operands in
        let call = operands.call
        let rank = try translator.shape(operands, 0).count
        guard let list = try call.ints("pads") ?? translator.integers(operands, 1) else {
            throw call.failure("The amounts are missing.")
        }
        let axes = try (translator.integers(operands, 3) ?? Array(0..<rank)).map {
            try translator.axis($0, rank, operands)
        }
        guard list.count == 2 * axes.count, list.allSatisfy({ (-4_096...4_096).contains($0) }) else {
            throw call.failure("The amounts \(list) do not fit.")
        }
        var amounts = Array(repeating: 0, count: 2 * rank)
        for (index, axis) in axes.enumerated() {
            amounts[2 * (rank - 1 - axis)] = list[index]
            amounts[2 * (rank - 1 - axis) + 1] = list[index + axes.count]
        }
        while amounts.count > 2, amounts.suffix(2).allSatisfy({ $0 == 0 }) { amounts.removeLast(2) }
        let input = Graph.Argument.tensor(try translator.tensor(operands, 0))
        if amounts.allSatisfy({ $0 == 0 }) { return [try operands.value(0)] }
        switch call.string("mode") ?? "constant" {
        case "constant":
            let value = try call.float("value") ?? translator.numbers(operands, 2)?.first ?? 0
            return [
                try translator.emit(
                    "aten::constant_pad_nd", "",
                    [("self", input), ("pad", ints(amounts)), ("value", .float(value))],
                    operands)
            ]
        case "reflect", "edge":
            guard rank == 4, amounts.count <= 4 else {
                throw call.failure("Only images can be padded so.")
            }
            // bounded: at most four.
            let padding = amounts + Array(repeating: 0, count: 4 - amounts.count)
            let name =
                call.string("mode") == "edge" ? "aten::replication_pad2d" : "aten::reflection_pad2d"
            return [
                try translator.emit(name, "", [("self", input), ("padding", ints(padding))], operands)
            ]
        default: throw call.failure("The mode is not supported.")
        }
    }
}
