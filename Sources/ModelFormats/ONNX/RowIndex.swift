import Graph
import Support

/// Whole numbers (N, …), for image i of the batch i * stride + table: how an exporter writes `as_strided`, as an index
/// into all images' elements at once.
struct RowIndex {
    var stride: Int
    /// Integers, the shape that of one image's part.
    var table: KnownTensor

    /// What an operator makes of such numbers; nil where it is none that is followed.
    static func result(_ call: ONNXCall, _ row: RowIndex, _ other: KnownTensor?) -> RowIndex? {
        switch call.name {
        case "Identity", "Cast": return row
        case "Unsqueeze":
            guard let axes = call.ints("axes") ?? other?.knownIntegers else { return nil }
            let rank = row.table.shape.count + 1 + axes.count
            var shape = row.table.shape
            for axis in axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
                guard axis >= 1, axis - 1 <= shape.count else { return nil }
                shape.insert(1, at: axis - 1)
            }
            guard KnownTensor.count(of: shape) != nil else { return nil }
            return RowIndex(
                stride: row.stride, table: row.table.picked(Array(0..<row.table.count), shape: shape))
        case "Mul":
            guard let number = other?.number, let factor = Int(exactly: number),
                let stride = Checked.product(row.stride, factor),
                let table = ConstantFolding.arithmetic("Mul", row.table, .init(integer: Dimension(factor)))
            else { return nil }
            return RowIndex(stride: stride, table: table)
        case "Add":
            guard let other, other.knownIntegers != nil else { return nil }
            var shape = other.shape
            // Its part for each image must be the same.
            if shape.count > row.table.shape.count {
                guard shape.count == row.table.shape.count + 1, shape.removeFirst() == 1 else { return nil }
            }
            let each = other.picked(Array(0..<other.count), shape: shape)
            return ConstantFolding.arithmetic("Add", row.table, each).map {
                .init(stride: row.stride, table: $0)
            }
        default: return nil
        }
    }
}

extension ONNXTranslator {
    /// Follows operators on row indices; nil for everything else.
    mutating func rowResult(_ call: ONNXCall, _ inputs: [Value?]) throws -> Value? {
        if call.name == "Range", inputs.count == 3 {
            let known = try inputs.compactMap { try $0.flatMap(self.known) }
            guard known.count == 3, known[0].number == 0, known[2].number == 1,
                known[1].dimensions == [.batchSize]
            else { return nil }
            return .row(.init(stride: 1, table: .init(integer: 0)))
        }
        let rows = inputs.compactMap { value -> RowIndex? in
            if case .row(let row)? = value { row } else { nil }
        }
        guard let row = rows.first, rows.count == 1 else { return nil }
        let others = inputs.compactMap { value -> Value? in
            if case .row? = value { nil } else { value }
        }
        if call.name == "Gather", call.int("axis") ?? 0 == 0, let data = others.first {
            return try gathered(data, row, Operands(call: call, values: inputs))
        }
        return RowIndex.result(call, row, try others.first.flatMap(known)).map { .row($0) }
    }

    /// Elements of all images in one row, each image's picked from its own.
    private mutating func gathered(_ data: Value, _ row: RowIndex, _ operands: Operands) throws
        -> Value?
    {
        guard shape(data) == [Dimension(batch: row.stride, constant: 0)],
            let places = row.table.knownIntegers, row.stride >= 1,
            // bounded: the stride is at least 1.
            places.allSatisfy({ (0..<row.stride).contains($0) })
        else { return nil }
        let rows = try reshape(tensor(data), [.batchSize, Dimension(row.stride)], operands)
        let sizes = [.batchSize] + row.table.shape.map { Dimension($0) }
        // bounded: the stride is at least 1.
        if places.elementsEqual(0..<row.stride) {
            return .tensor(try reshape(rows, sizes, operands), type(data))
        }
        let flat = try tensor(.known(row.table.picked(Array(places.indices), shape: [places.count])))
        let picked = try builder.call(
            "aten::index", "Tensor",
            [("self", .tensor(rows)), ("indices", .optionalTensors([nil, flat]))],
            name: name(operands))[0]
        return .tensor(try reshape(picked, sizes, operands), type(data))
    }
}
