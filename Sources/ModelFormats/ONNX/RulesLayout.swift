import Graph
import Support

/// Shapes, axes and reductions.
extension ONNXTranslator {
    static let reductions: [String: Rule] = [
        "ReduceMean": reduction("aten::mean", "dim"),
        "ReduceSum": reduction("aten::sum", "dim_IntList"),
        "ReduceMax": reduction("aten::amax", ""), "ReduceMin": reduction("aten::amin", ""),
        "ReduceL2": reduction("aten::linalg_vector_norm", ""),
        "ReduceL1": reduction("aten::linalg_vector_norm", "", [("ord", .float(1))]),
        "ReduceLogSumExp": reduction("aten::logsumexp", ""),
        "ReduceSumSquare": { translator, operands in
            let square = try translator.emit(
                "aten::square", "", [("self", .tensor(translator.tensor(operands, 0)))], operands)
            return try reduction("aten::sum", "dim_IntList")(
                &translator, Operands(call: operands.call, values: [square] + operands.values.dropFirst()))
        },
        "ArgMax": { translator, operands in
            [
                try translator.emit(
                    "aten::argmax", "",
                    [
                        ("self", .tensor(translator.tensor(operands, 0))),
                        ("dim", int(operands.call.int("axis") ?? 0)),
                        ("keepdim", .bool(operands.call.int("keepdims") ?? 1 != 0)),
                    ], operands, type: .int64)
            ]
        },
    ]

    private static func reduction(
        _ name: String, _ overload: String, _ more: [(String, Graph.Argument)] = []
    ) -> Rule {
        let extra = UncheckedArguments(more)
        return { translator, operands in
            let call = operands.call
            let rank = try translator.shape(operands, 0).count
            var axes = try call.ints("axes") ?? translator.integers(operands, 1) ?? []
            if axes.isEmpty {
                if call.int("noop_with_empty_axes") ?? 0 != 0 { return [try operands.value(0)] }
                axes = Array(0..<rank)
            }
            return [
                try translator.emit(
                    name, overload,
                    [("self", .tensor(translator.tensor(operands, 0)))] + extra.list + [
                        ("dim", ints(axes)), ("keepdim", .bool(call.int("keepdims") ?? 1 != 0)),
                    ], operands)
            ]
        }
    }

    /// Pairs as a Sendable value.
    private struct UncheckedArguments: Sendable {
        var names: [String]
        var values: [Graph.Argument]

        init(_ list: [(String, Graph.Argument)]) {
            names = list.map(\.0)
            values = list.map(\.1)
        }

        var list: [(String, Graph.Argument)] { Array(zip(names, values)) }
    }

    static let layouts: [String: Rule] = [
        "Reshape": { translator, operands in
            guard let target = try translator.known(operands.value(1))?.dimensions else {
                throw operands.call.failure("The new shape is computed from the images.")
            }
            let input = try operands.value(0)
            let sizes = try translator.resolved(
                target, from: translator.shape(input), allowsZero: operands.call.int("allowzero") ?? 0 != 0)
            return [
                .tensor(
                    try translator.reshape(translator.tensor(input), sizes, operands), translator.type(input))
            ]
        },
        "Flatten": { translator, operands in
            let input = try operands.value(0)
            let shape = translator.shape(input)
            let number = operands.call.int("axis") ?? 1
            let axis = number < 0 ? number + shape.count : number
            guard (0...shape.count).contains(axis), let first = Shape(shape[..<axis]).elementCount,
                let second = Shape(shape[axis...]).elementCount
            else { throw operands.call.failure("It flattens \(shape.text) at axis \(number).") }
            return [
                .tensor(
                    try translator.reshape(translator.tensor(input), [first, second], operands),
                    translator.type(input))
            ]
        },
        "Transpose": { translator, operands in
            let input = try operands.value(0)
            let order = operands.call.ints("perm") ?? Array(translator.shape(input).indices.reversed())
            return [
                try translator.emit(
                    "aten::permute", "",
                    [("self", .tensor(translator.tensor(input))), ("dims", ints(order))], operands,
                    type: translator.type(input))
            ]
        },
        "Unsqueeze": { translator, operands in
            let input = try operands.value(0)
            let axes = try operands.call.ints("axes") ?? translator.integers(operands, 1) ?? []
            let rank = translator.shape(input).count + axes.count
            var result = input
            for axis in try axes.map({ try translator.axis($0, rank, operands) }).sorted() {
                result = try translator.emit(
                    "aten::unsqueeze", "",
                    [("self", .tensor(translator.tensor(result))), ("dim", int(axis))], operands,
                    type: translator.type(input))
            }
            return [result]
        },
        "Squeeze": { translator, operands in
            let input = try operands.value(0)
            let shape = translator.shape(input)
            let axes = try operands.call.ints("axes") ?? translator.integers(operands, 1)
            let gone =
                try axes?.map { try translator.axis($0, shape.count, operands) }
                ?? shape.indices.filter { shape[$0] == 1 }
            // The batch stays, also where it was exported as 1.
            let kept = gone.filter { shape[$0].batch == 0 }
            guard kept.count == gone.count || translator.fixedBatch == 1 else {
                throw operands.call.failure("It takes the batch away.")
            }
            return [
                try translator.emit(
                    "aten::squeeze", "dims",
                    [("self", .tensor(translator.tensor(input))), ("dim", ints(kept))], operands,
                    type: translator.type(input))
            ]
        },
        "Shape": { translator, operands in
            let shape = try translator.shape(operands, 0)
            func place(_ index: Int) -> Int {
                min(max(index < 0 ? index + shape.count : index, 0), shape.count)
            }
            let start = place(operands.call.int("start") ?? 0)
            let end = max(place(operands.call.int("end") ?? shape.count), start)
            // bounded: the end is not before the start.
            return [.known(.init(sizes: Array(shape[start..<end])))]
        },
        "Size": { translator, operands in
            guard let count = try translator.shape(operands, 0).elementCount else {
                throw operands.call.failure("The tensor is too large.")
            }
            return [.known(.init(integer: count))]
        },
        "ConstantOfShape": constantOfShape, "Expand": expand,
        "Tile": { translator, operands in
            let input = try operands.value(0)
            guard let repeats = try translator.integers(operands, 1) else {
                throw operands.call.failure("The repetitions are missing.")
            }
            return [
                try translator.emit(
                    "aten::repeat", "",
                    [("self", .tensor(translator.tensor(input))), ("repeats", ints(repeats))],
                    operands, type: translator.type(input))
            ]
        },
        "Concat": concatenate,
    ]

    /// The sizes of a reshaped tensor, nothing left open.
    private func resolved(_ target: [Dimension], from shape: Shape, allowsZero: Bool) throws
        -> [Dimension]
    {
        var sizes = target
        for (axis, size) in sizes.enumerated() where size == 0 && !allowsZero && axis < shape.count {
            sizes[axis] = shape[axis]
        }
        guard let total = shape.elementCount else {
            throw GraphFault.shape.problem("\(shape.text) has too many elements.")
        }
        let open = sizes.firstIndex(of: -1)
        // What is said of one image holds for each: the batch goes where it was, as its outermost dimension.
        if let fixedBatch, sizes.allSatisfy({ $0.batch == 0 }),
            let axis = shape.firstIndex(where: { $0.batch != 0 }),
            axis < sizes.count, sizes[..<axis].elementsEqual(shape[..<axis]), open != axis,
            let size = sizes[axis].known, size > 0, size % fixedBatch == 0
        {
            sizes[axis] = Dimension(batch: size / fixedBatch, constant: 0)
        }
        if let open {
            let rest = sizes.indices.filter { $0 != open }.map { sizes[$0] }
            guard let product = Shape(rest).elementCount, let size = Dimension.quotient(total, product)
            else {
                throw GraphFault.shape.problem(
                    "\(shape.text) cannot be given the sizes \(target.map(\.description)).")
            }
            sizes[open] = size
        }
        guard Shape(sizes).elementCount == total else {
            throw GraphFault.shape.problem(
                "\(shape.text) cannot be given the sizes \(target.map(\.description)).")
        }
        return sizes
    }

    private static let constantOfShape: Rule = { translator, operands in
        guard let sizes = try translator.known(operands.value(0))?.dimensions else {
            throw operands.call.failure("The shape is computed from the images.")
        }
        var value = KnownTensor(type: .float32, shape: [], elements: .numbers([0]))
        if let (_, proto) = operands.call.tensor("value") {
            let read = try ONNXTensor(proto, nil, name: "value", maximumRank: 8)
            guard case .inline(let bytes) = read.elements,
                let known = KnownTensor(type: read.type, shape: read.shape, bytes: bytes), known.count == 1
            else { throw operands.call.failure("The value is no number.") }
            value = known
        }
        if let known = KnownTensor(sizes: sizes).knownIntegers, let count = ConstantFolding.count(known) {
            return [.known(value.picked(Array(repeating: 0, count: count), shape: known))]
        }
        guard let number = value.argument else { throw operands.call.failure("The value is no number.") }
        let list = try sizes.map { try translator.builder.size($0) }
        return [
            try translator.emit(
                "aten::full", "",
                [
                    ("size", .ints(list)),
                    ("fill_value", number),
                    ("dtype", .scalarType(value.type)),
                ], operands, type: value.type)
        ]
    }

    private static let expand: Rule = { translator, operands in
        guard let target = try translator.known(operands.value(1))?.dimensions else {
            throw operands.call.failure("The shape is computed from the images.")
        }
        let input = try operands.value(0)
        return [try translator.expanded(input, target, operands)]
    }

    private mutating func expanded(_ input: Value, _ target: [Dimension], _ operands: Operands) throws
        -> Value
    {
        let shape = shape(input)
        let rank = max(shape.count, target.count)
        let from = Shape(repeating: 1, count: rank - shape.count) + shape
        let wanted = Shape(repeating: 1, count: rank - target.count) + target
        let sizes = zip(from, wanted).map { $1 == 1 ? $0 : $1 }
        if sizes == shape { return input }
        let list = try sizes.map { try builder.size($0) }
        return try emit(
            "aten::expand", "", [("self", .tensor(tensor(input))), ("size", .ints(list))], operands,
            type: type(input))
    }

    private static let concatenate: Rule = { translator, operands in
        let list = try operands.values.indices.map { try operands.value($0) }
        guard let first = list.first, let number = operands.call.int("axis") else {
            throw operands.call.failure("It joins nothing.")
        }
        let axis = try translator.axis(number, translator.shape(first).count, operands)
        // Beside a batch of images, what stands for one of them stands for each.
        let opened = list.first {
            translator.shape($0).enumerated().contains { $0 != axis && $1.batch != 0 }
        }
        let tensors = try list.map { value -> Graph.ValueID in
            guard translator.fixedBatch == 1, let opened else { return try translator.tensor(value) }
            var wanted = translator.shape(opened)
            let own = translator.shape(value)
            guard own.count == wanted.count else { return try translator.tensor(value) }
            wanted[axis] = own[axis]
            return try translator.tensor(translator.expanded(value, wanted, operands))
        }
        return [
            try translator.emit(
                "aten::cat", "", [("tensors", .tensors(tensors)), ("dim", int(axis))], operands,
                type: translator.type(first))
        ]
    }
}
