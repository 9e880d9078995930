import Support

// bounded in this file: integers by `OperatorRule.bounds`, also those that are computed; sizes by `GraphLimits`.

/// Changes of resolution, and a few shapes of their own.
extension OperatorCall {
    static let upsample: OperatorRule.ShapeFunction = { call in
        let isVector = call.schema.overload == "vec"
        let input = try call.image(isVector ? "input" : "self")
        var size: [Int]
        if call.has("output_size") {
            size = try call.ints("output_size")
        } else if case .floats(let factors)? = call.node.argument("scale_factors") {
            size = try zip([input.height, input.width], factors).map { side, factor in
                guard let result = Checked.whole(Double(side) * factor, in: 1...65_536) else {
                    throw call.failure("A factor of \(factor) is absurd.")
                }
                return result
            }
        } else {
            throw call.failure("It has neither a size nor factors.")
        }
        guard size.count == 2, size.allSatisfy({ (1...65_536).contains($0) }) else {
            throw call.failure("\(listed(size)) is no height and width.")
        }
        let result: Shape = [input.batch, Dimension(input.channels), Dimension(size[0]), Dimension(size[1])]
        try call.count(result, perElement: call.schema.name.contains("nearest") ? 1 : 16)
        return [result]
    }

    /// Of each image, where its pixels come from: (N, height, width, 2).
    static let affineGrid: OperatorRule.ShapeFunction = { call in
        let (theta, size) = (try call.shape("theta"), try call.dimensions("size"))
        guard theta.count == 3, theta[1] == 2, theta[2] == 3, size.count == 4, size[0] == theta[0],
            let height = size[2].known, let width = size[3].known, (1...65_536).contains(height),
            (1...65_536).contains(width)
        else {
            throw call.failure(
                "\(theta.text) are no matrices of 2 x 3 for images of \(size.map(\.description)).")
        }
        let result: Shape = [theta[0], size[2], size[3], 2]
        try call.count(result, perElement: 3)
        return [result]
    }

    static let gridSampler: OperatorRule.ShapeFunction = { call in
        let (input, grid) = (try call.image("input"), try call.shape("grid"))
        guard grid.count == 4, grid[0] == input.batch, grid[3] == 2 else {
            throw call.failure("\(grid.text) is no grid of places, one for each of the images.")
        }
        let result: Shape = [input.batch, Dimension(input.channels), grid[1], grid[2]]
        try call.count(result, perElement: 16)
        return [result]
    }

    static let pixelShuffle: OperatorRule.ShapeFunction = { call in
        let input = try call.image("self")
        let isUp = call.schema.name == "aten::pixel_shuffle"
        let factor = try call.int(isUp ? "upscale_factor" : "downscale_factor")
        guard (1...256).contains(factor) else { throw call.failure("A factor of \(factor) is absurd.") }
        let channels = isUp ? input.channels / (factor * factor) : input.channels * factor * factor
        guard
            isUp
                ? input.channels % (factor * factor) == 0
                : input.height % factor == 0 && input.width % factor == 0
        else { throw call.failure("A factor of \(factor) does not divide the input.") }
        let scale = { (side: Int) in isUp ? side * factor : side / factor }
        return [
            [
                input.batch, Dimension(channels), Dimension(scale(input.height)),
                Dimension(scale(input.width)),
            ]
        ]
    }

    static let channelShuffle: OperatorRule.ShapeFunction = { call in
        let input = try call.image("self")
        let groups = try call.int("groups")
        guard groups >= 1, input.channels % groups == 0 else {
            throw call.failure("\(groups) groups do not divide \(input.channels) channels.")
        }
        return [try call.shape("self")]
    }

    static let glu: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dim"), rank: shape.count)
        guard let size = shape[axis].known, size % 2 == 0 else {
            throw call.failure("Dimension \(axis) of \(shape.text) has no halves.")
        }
        shape[axis] = Dimension(size / 2)
        return [shape]
    }

    static let unfold: OperatorRule.ShapeFunction = { call in
        let input = try call.image("self")
        let (kernel, stride) = (try call.pair("kernel_size"), try call.pair("stride"))
        let (padding, dilation) = (try call.pair("padding"), try call.pair("dilation"))
        let height = try call.windows(input.height, kernel.0, stride.0, padding.0, dilation.0)
        let width = try call.windows(input.width, kernel.1, stride.1, padding.1, dilation.1)
        guard let rows = Checked.product([input.channels, kernel.0, kernel.1]),
            let places = Checked.product(height, width)
        else { throw call.failure("The windows are too large.") }
        return [[input.batch, Dimension(rows), Dimension(places)]]
    }

    /// The opposite: windows are added up where they overlap.
    static let fold: OperatorRule.ShapeFunction = { call in
        let (shape, size) = (try call.shape("self"), try call.pair("output_size"))
        let (kernel, stride) = (try call.pair("kernel_size"), try call.pair("stride"))
        let (padding, dilation) = (try call.pair("padding"), try call.pair("dilation"))
        let height = try call.windows(size.0, kernel.0, stride.0, padding.0, dilation.0)
        let width = try call.windows(size.1, kernel.1, stride.1, padding.1, dilation.1)
        guard shape.count == 3, let rows = shape[1].known, let area = Checked.product(kernel.0, kernel.1),
            rows % area == 0, shape[2].known == Checked.product(height, width)
        else { throw call.failure("\(shape.text) holds no windows of an image of \(size.0) x \(size.1).") }
        return [[shape[0], Dimension(rows / area), Dimension(size.0), Dimension(size.1)]]
    }

    /// Windows along one dimension, as another dimension behind all.
    static let slide: OperatorRule.ShapeFunction = { call in
        var shape = try call.shape("self")
        let axis = try call.axis(call.int("dimension"), rank: shape.count)
        let (length, step) = (try call.int("size"), try call.int("step"))
        guard let size = shape[axis].known, (1...size).contains(length) else {
            throw call.failure("Windows of \(length) do not fit dimension \(axis) of \(shape.text).")
        }
        shape[axis] = Dimension((size - length) / step + 1)
        return [shape + [Dimension(length)]]
    }

    static let instanceNorm: OperatorRule.ShapeFunction = { call in
        let shape = try call.shape("input")
        guard shape.count >= 3, let channels = shape[1].known else {
            throw call.failure("\(shape.text) is not (N, channels, …).")
        }
        let isTracked =
            try call.optionalShape("running_mean") != nil && call.optionalShape("running_var") != nil
        guard isTracked || call.bool("use_input_stats") else {
            throw call.failure("The statistics are fixed, and there are none.")
        }
        for name in ["weight", "bias", "running_mean", "running_var"] {
            try call.requireVector(name, channels)
        }
        return [shape]
    }

    /// One or two tensors, every letter one dimension, the result spelt out.
    static let einsum: OperatorRule.ShapeFunction = { call in
        let shapes = try call.shapes("tensors")
        let parts = (call.string("equation") ?? "").filter { $0 != " " }.split(
            separator: "->", omittingEmptySubsequences: false)
        let terms = parts.first?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, terms.count == shapes.count, shapes.count <= 2 else {
            throw call.failure("The equation does not fit \(shapes.count) tensors.")
        }
        var sizes: [Character: Dimension] = [:]
        for (term, shape) in zip(terms, shapes) {
            guard term.count == shape.count, Set(term).count == term.count else {
                throw call.failure("“\(term)” does not fit \(shape.text).")
            }
            for (letter, size) in zip(term, shape) {
                guard sizes.updateValue(size, forKey: letter) ?? size == size else {
                    throw call.failure("“\(letter)” stands for two sizes.")
                }
            }
        }
        let result = try parts[1].map { letter in
            guard let size = sizes[letter] else { throw call.failure("“\(letter)” stands for no size.") }
            return size
        }
        guard Set(parts[1]).count == parts[1].count, let all = Shape(sizes.values).elementCount else {
            throw call.failure("The equation repeats a letter in its result, or is too large.")
        }
        try call.count([all], perElement: 1)
        return [result]
    }

    /// Only the tensor as it is: memory is laid out anew here.
    static let asStrided: OperatorRule.ShapeFunction = { call in
        let (shape, size) = (try call.shape("self"), try call.dimensions("size"))
        let strides = try call.dimensions("stride")
        var expected: Dimension? = 1
        guard size == shape, strides.count == size.count, !call.has("storage_offset") else {
            throw call.failure("It takes other elements of the memory than those of \(shape.text) in order.")
        }
        for axis in shape.indices.reversed() where shape[axis] != 1 {
            guard strides[axis] == expected else {
                throw call.failure("Strides of \(strides.text) change the order of \(shape.text).")
            }
            expected = expected.flatMap { Dimension.product($0, shape[axis]) }
        }
        return [shape]
    }
}
