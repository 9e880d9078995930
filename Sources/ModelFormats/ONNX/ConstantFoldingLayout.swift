import Graph
import Support

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

// bounded in this file: shapes by `KnownTensor.count(of:)`, places by the sizes of their axes.

/// Moving known elements about.
extension ConstantFolding {
    static func power(_ a: Double, _ b: Double) -> Double { pow(a, b) }
    static func exponential(_ x: Double) -> Double { exp(x) }
    static func logarithm(_ x: Double) -> Double { log(x) }

    static func concatenate(_ inputs: [KnownTensor], _ call: ONNXCall) -> KnownTensor? {
        guard let first = inputs.first, let axis = call.axis("axis", 0, rank: first.shape.count),
            inputs.allSatisfy({ input in
                input.type == first.type && input.shape.count == first.shape.count
                    && input.shape.indices.allSatisfy { $0 == axis || input.shape[$0] == first.shape[$0] }
            })
        else { return nil }
        var shape = first.shape
        var total = 0
        for input in inputs {
            guard let sum = Checked.sum(total, input.shape[axis]), sum <= KnownTensor.maximumCount else {
                return nil
            }
            total = sum
        }
        shape[axis] = total
        guard count(shape) != nil else { return nil }
        // All elements in one list, and where each of the result's lies in it.
        let starts = inputs.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
        var owners: [(input: Int, place: Int)] = []
        for (number, input) in inputs.enumerated() {
            owners += (0..<input.shape[axis]).map { (number, $0) }
        }
        let positions = Positions.all(shape).map { index in
            let (number, place) = owners[index[axis]]
            var own = index
            own[axis] = place
            return starts[number] + Positions.of(own, strides: Positions.strides(inputs[number].shape))
        }
        let lists = inputs.compactMap(\.dimensions)
        if lists.count == inputs.count {
            return KnownTensor(type: first.type, shape: shape, elements: .integers(Array(lists.joined())))
                .picked(positions, shape: shape)
        }
        let numbers = inputs.compactMap(\.numbers)
        guard numbers.count == inputs.count else { return nil }
        return KnownTensor(type: first.type, shape: shape, elements: .numbers(Array(numbers.joined())))
            .picked(positions, shape: shape)
    }

    static func gather(_ data: KnownTensor, _ indices: KnownTensor, _ call: ONNXCall) -> KnownTensor? {
        let axis = call.axis("axis", 0, rank: data.shape.count)
        guard let axis, let chosen = indices.knownIntegers else { return nil }
        let size = data.shape[axis]
        let places = chosen.map { $0 < 0 ? $0 + size : $0 }
        guard places.allSatisfy({ (0..<size).contains($0) }) else { return nil }
        let shape = Array(data.shape[..<axis]) + indices.shape + Array(data.shape[(axis + 1)...])
        guard count(shape) != nil else { return nil }
        let strides = Positions.strides(data.shape)
        var positions: [Int] = []
        for outer in Positions.all(Array(data.shape[..<axis])) {
            for place in places {
                for inner in Positions.all(Array(data.shape[(axis + 1)...])) {
                    positions.append(Positions.of(outer + [place] + inner, strides: strides))
                }
            }
        }
        return data.picked(positions, shape: shape)
    }

    /// - Parameter rest: starts, ends, axes and steps.
    static func slice(_ data: KnownTensor, _ rest: [KnownTensor]) -> KnownTensor? {
        guard rest.count >= 2, let starts = rest[0].knownIntegers, let ends = rest[1].knownIntegers
        else {
            return nil
        }
        let axes = rest.count > 2 ? rest[2].knownIntegers : Array(starts.indices)
        let steps = rest.count > 3 ? rest[3].knownIntegers : starts.map { _ in 1 }
        guard let axes, let steps,
            [starts.count, ends.count, axes.count, steps.count].allSatisfy({ $0 == starts.count })
        else { return nil }
        var chosen = data.shape.map { Array(0..<$0) }
        for (index, number) in axes.enumerated() {
            let axis = number < 0 ? number + data.shape.count : number
            guard data.shape.indices.contains(axis), steps[index] != 0, steps[index] != .min else {
                return nil
            }
            let (size, step) = (data.shape[axis], steps[index])
            func place(_ bound: Int) -> Int {
                let place = bound < 0 ? bound &+ size : bound
                return step > 0 ? min(max(place, 0), size) : min(max(place, -1), size - 1)
            }
            // A negative end beyond the front is the front itself.
            let end = step < 0 && ends[index] < -size ? -1 : place(ends[index])
            chosen[axis] = Array(stride(from: place(starts[index]), to: end, by: step))
        }
        let strides = Positions.strides(data.shape)
        let shape = chosen.map(\.count)
        let positions = Positions.all(shape).map { index in
            Positions.of(zip(index, chosen).map { $1[$0] }, strides: strides)
        }
        return data.picked(positions, shape: shape)
    }

    /// - Parameter indices: (…, k): for each slice of the updates the first k indices of where it goes.
    static func scatter(_ data: KnownTensor, _ indices: KnownTensor, _ updates: KnownTensor)
        -> KnownTensor?
    {
        guard let list = indices.knownIntegers, let depth = indices.shape.last, depth >= 1,
            depth <= data.shape.count,
            updates.shape == Array(indices.shape.dropLast()) + data.shape[depth...],
            updates.type == data.type
        else { return nil }
        let strides = Positions.strides(data.shape)
        let length = data.shape[depth...].reduce(1, *)
        // Where each element comes from: the data, and behind them the updates.
        var origins = Array(0..<data.count)
        for (number, start) in Swift.stride(from: 0, to: list.count, by: depth).enumerated() {
            var position = 0
            for axis in 0..<depth {
                let size = data.shape[axis]
                let place = list[start + axis] < 0 ? list[start + axis] + size : list[start + axis]
                guard (0..<size).contains(place) else { return nil }
                position += place * strides[axis]
            }
            for offset in 0..<length {
                origins[position + offset] = data.count + number * length + offset
            }
        }
        let all: KnownTensor.Elements
        switch (data.elements, updates.elements) {
        case (.integers(let a), .integers(let b)): all = .integers(a + b)
        case (.numbers(let a), .numbers(let b)): all = .numbers(a + b)
        default: return nil
        }
        return KnownTensor(type: data.type, shape: data.shape, elements: all).picked(
            origins, shape: data.shape)
    }

    static func reshape(_ data: KnownTensor, _ inputs: [KnownTensor], _ call: ONNXCall)
        -> KnownTensor?
    {
        let list = inputs.count > 1 ? inputs[1].knownIntegers : call.ints("axes")
        var shape = data.shape
        switch call.name {
        case "Unsqueeze":
            guard let list else { return nil }
            let rank = shape.count + list.count
            for axis in list.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
                guard (0...shape.count).contains(axis) else { return nil }
                shape.insert(1, at: axis)
            }
        case "Squeeze":
            let axes = list.map { Set($0.map { $0 < 0 ? $0 + shape.count : $0 }) }
            shape = shape.indices.filter { !(axes?.contains($0) ?? (shape[$0] == 1)) }.map { shape[$0] }
        case "Reshape":
            guard var target = list else { return nil }
            for (axis, size) in target.enumerated() where size == 0 {
                guard axis < shape.count else { return nil }
                target[axis] = shape[axis]
            }
            if let open = target.firstIndex(of: -1) {
                guard let rest = count(target.enumerated().filter { $0.offset != open }.map(\.element)),
                    rest > 0
                else {
                    return nil
                }
                target[open] = data.count / rest
            }
            shape = target
        default: return nil
        }
        return count(shape) == data.count ? data.picked(Array(0..<data.count), shape: shape) : nil
    }

    static func transpose(_ data: KnownTensor, _ call: ONNXCall) -> KnownTensor? {
        let order = call.ints("perm") ?? Array(data.shape.indices.reversed())
        guard order.sorted() == Array(data.shape.indices) else { return nil }
        let strides = Positions.strides(data.shape)
        let shape = order.map { data.shape[$0] }
        let moved = order.map { strides[$0] }
        return data.picked(Positions.all(shape).map { Positions.of($0, strides: moved) }, shape: shape)
    }

    static func expand(_ data: KnownTensor, _ target: [Int]?) -> KnownTensor? {
        guard var shape = target else { return nil }
        let rank = max(shape.count, data.shape.count)
        let from = Array(repeating: 1, count: rank - data.shape.count) + data.shape
        shape = Array(repeating: 1, count: rank - shape.count) + shape
        shape = zip(shape, from).map { $0 == 1 ? $1 : $0 }
        guard zip(shape, from).allSatisfy({ $0 == $1 || $1 == 1 }), count(shape) != nil else {
            return nil
        }
        let strides = Positions.strides(from)
        let positions = Positions.all(shape).map { index in
            Positions.of(zip(index, from).map { $1 == 1 ? 0 : $0 }, strides: strides)
        }
        return data.picked(positions, shape: shape)
    }

    static func range(_ inputs: [KnownTensor]) -> KnownTensor? {
        guard inputs.count == 3, let start = inputs[0].number, let end = inputs[1].number,
            let step = inputs[2].number, step != 0
        else { return nil }
        let length = ((end - start) / step).rounded(.up)
        guard let count = Checked.whole(length, in: 0...KnownTensor.maximumCount) else { return nil }
        let list = (0..<count).map { start + Double($0) * step }
        let type = inputs[0].type
        if type.isFloatingPoint { return .init(type: type, shape: [count], elements: .numbers(list)) }
        let whole = list.compactMap { Int(exactly: $0) }
        guard whole.count == count else { return nil }
        return .init(type: type, shape: [count], elements: .integers(whole.map { Dimension($0) }))
    }

    /// Over all elements of a list.
    static func reduce(_ data: KnownTensor, _ inputs: [KnownTensor], _ call: ONNXCall) -> KnownTensor? {
        guard data.shape.count <= 1, let list = data.dimensions, let first = list.first else {
            return nil
        }
        var result: Dimension? = first
        for item in list.dropFirst() {
            guard let total = result else { return nil }
            switch call.name {
            case "ReduceProd": result = Dimension.product(total, item)
            case "ReduceSum": result = Dimension.sum(total, item)
            default:
                guard let a = total.known, let b = item.known else { return nil }
                result = Dimension(call.name == "ReduceMax" ? max(a, b) : min(a, b))
            }
        }
        let shape = call.int("keepdims") ?? 1 == 1 && data.shape.count == 1 ? [1] : []
        return result.map { .init(type: data.type, shape: shape, elements: .integers([$0])) }
    }
}
