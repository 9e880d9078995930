import Support

// bounded in this file: integers by `OperatorRule.bounds`, also those that are computed; sizes by `GraphLimits`.

/// Convolution and pooling over (N, C, H, W).
extension OperatorCall {
    static let convolution: OperatorRule.ShapeFunction = { call in
        if try call.shape("input").count == 3 { return [try call.sequenceConvolution()] }
        let input = try call.image("input")
        let weight = try call.shape("weight").compactMap(\.known)
        guard weight.count == 4 else { throw call.failure("“weight” is not (out, in, height, width).") }
        guard !call.bool("transposed") else {
            throw GraphFault.operator.problem("Transposed convolutions are not supported.", node: call.node)
        }
        let added = try call.has("output_padding") ? call.ints("output_padding") : []
        guard added.allSatisfy({ $0 == 0 }) else {
            throw call.failure("“output_padding” is for transposed convolutions.")
        }
        let groups = try call.int("groups")
        guard Checked.product(weight[1], groups) == input.channels, weight[0] % groups == 0 else {
            throw call.failure(
                "“weight” (\(weight.map(String.init).joined(separator: ", "))) with \(groups) groups does not "
                    + "fit \(input.channels) channels.")
        }
        try call.requireVector("bias", weight[0])
        let stride = try call.pair("stride")
        let dilation = try call.pair("dilation")
        let height: Int
        let width: Int
        if let word = call.string("padding"), word == "same" {
            guard stride == (1, 1) else { throw call.failure("Padding “same” needs stride 1.") }
            (height, width) = (input.height, input.width)
        } else {
            let padding = call.string("padding") == nil ? try call.pair("padding") : (0, 0)
            height = try call.windows(input.height, weight[2], stride.0, padding.0, dilation.0)
            width = try call.windows(input.width, weight[3], stride.1, padding.1, dilation.1)
        }
        let result: Shape = [input.batch, Dimension(weight[0]), Dimension(height), Dimension(width)]
        guard let perPixel = Checked.product(weight[1...]) else {
            throw call.failure("“weight” is too large.")
        }
        try call.count(result, perElement: perPixel)
        return [result]
    }

    /// Over (N, channels, length).
    private mutating func sequenceConvolution() throws -> Shape {
        let input = try shape("input")
        let weight = try shape("weight").compactMap(\.known)
        let groups = try int("groups")
        guard weight.count == 3, let channels = input[1].known, let length = input[2].known,
            !bool("transposed")
        else { throw failure("\(input.text) does not fit the weight.") }
        guard Checked.product(weight[1], groups) == channels, weight[0] % groups == 0 else {
            throw failure("“weight” with \(groups) groups does not fit \(channels) channels.")
        }
        try requireVector("bias", weight[0])
        let places = try windows(
            length, weight[2], ints("stride").first ?? 1, ints("padding").first ?? 0,
            ints("dilation").first ?? 1)
        let result: Shape = [input[0], Dimension(weight[0]), Dimension(places)]
        guard let perPlace = Checked.product(weight[1...]) else { throw failure("“weight” is too large.") }
        try count(result, perElement: perPlace)
        return result
    }

    /// Each place of the input spreads over a window of the result.
    static let transposedConvolution: OperatorRule.ShapeFunction = { call in
        let input = try call.image("input")
        let weight = try call.shape("weight").compactMap(\.known)
        let groups = try call.int("groups")
        guard weight.count == 4, weight[0] == input.channels, weight[0] % groups == 0,
            let channels = Checked.product(weight[1], groups)
        else { throw call.failure("“weight” with \(groups) groups does not fit \(input.channels) channels.") }
        try call.requireVector("bias", channels)
        let (stride, padding) = (try call.pair("stride"), try call.pair("padding"))
        let (dilation, added) = (try call.pair("dilation"), try call.pair("output_padding"))
        guard added.0 < max(stride.0, dilation.0), added.1 < max(stride.1, dilation.1) else {
            throw call.failure("“output_padding” has to be less than the stride or the dilation.")
        }
        func side(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, _ added: Int)
            throws -> Dimension
        {
            guard let reach = Checked.product(size - 1, stride),
                let spread = Checked.product(kernel - 1, dilation),
                let sum = Checked.sum(reach, spread), let whole = Checked.sum(sum, added - 2 * padding + 1)
            else { throw call.failure("The result is too large.") }
            return Dimension(whole)
        }
        let result: Shape = [
            input.batch, Dimension(channels),
            try side(input.height, weight[2], stride.0, padding.0, dilation.0, added.0),
            try side(input.width, weight[3], stride.1, padding.1, dilation.1, added.1),
        ]
        guard let perPixel = Checked.product([weight[0] / groups, weight[2], weight[3]]) else {
            throw call.failure("“weight” is too large.")
        }
        try call.count(result, perElement: perPixel)
        return [result]
    }

    /// Over (N, channels, depth, height, width).
    static let volumePool: OperatorRule.ShapeFunction = { call in
        let input = try call.shape("self")
        let sizes = input.dropFirst(2).compactMap(\.known)
        let (kernel, padding) = (try call.ints("kernel_size"), try call.ints("padding"))
        let stride = try call.ints("stride").isEmpty ? kernel : try call.ints("stride")
        guard input.count == 5, sizes.count == 3, kernel.count == 3, padding.count == 3, stride.count == 3,
            zip(padding, kernel).allSatisfy({ $0 <= $1 / 2 })
        else { throw call.failure("\(input.text) and windows of \(listed(kernel)) do not fit together.") }
        let places = try (0..<3).map {
            Dimension(
                try call.windows(
                    sizes[$0], kernel[$0], stride[$0], padding[$0], 1, ceil: call.bool("ceil_mode")))
        }
        guard let perPlace = Checked.product(kernel) else { throw call.failure("The window is too large.") }
        let result = input.prefix(2) + places
        try call.count(Shape(result), perElement: perPlace)
        return [Shape(result)]
    }

    /// Over (N, channels, length).
    static let sequencePool: OperatorRule.ShapeFunction = { call in
        let input = try call.shape("self")
        guard input.count == 3, let length = input[2].known, let kernel = try call.ints("kernel_size").first
        else { throw call.failure("\(input.text) is not (N, channels, length).") }
        let padding = try call.ints("padding").first ?? 0
        guard padding <= kernel / 2 else { throw call.failure("The padding is more than half the kernel.") }
        let hasDilation = call.schema.arguments.contains { $0.name == "dilation" }
        let places = try call.windows(
            length, kernel, call.ints("stride").first ?? kernel, padding,
            hasDilation ? call.ints("dilation").first ?? 1 : 1, ceil: call.bool("ceil_mode"))
        let result: Shape = [input[0], input[1], Dimension(places)]
        try call.count(result, perElement: kernel)
        return [result]
    }

    static let pool: OperatorRule.ShapeFunction = { call in
        let input = try call.image("self")
        let kernel = try call.pair("kernel_size")
        let stride = try call.ints("stride").isEmpty ? kernel : try call.pair("stride")
        let padding = try call.pair("padding")
        let hasDilation = call.schema.arguments.contains { $0.name == "dilation" }
        let dilation = hasDilation ? try call.pair("dilation") : (1, 1)
        guard padding.0 <= kernel.0 / 2, padding.1 <= kernel.1 / 2 else {
            throw call.failure("The padding is more than half the kernel.")
        }
        let ceil = call.bool("ceil_mode")
        let height = try call.windows(input.height, kernel.0, stride.0, padding.0, dilation.0, ceil: ceil)
        let width = try call.windows(input.width, kernel.1, stride.1, padding.1, dilation.1, ceil: ceil)
        let result: Shape = [input.batch, Dimension(input.channels), Dimension(height), Dimension(width)]
        try call.count(result, perElement: kernel.0 * kernel.1)
        return Array(repeating: result, count: call.schema.resultCount ?? 1)
    }

    static let adaptivePool: OperatorRule.ShapeFunction = { call in
        if call.schema.name.hasSuffix("1d") {
            let shape = try call.shape("self")
            guard shape.count == 3 else { throw call.failure("\(shape.text) is not (N, channels, length).") }
            guard let length = try call.ints("output_size").first else {
                throw call.failure("It has no size.")
            }
            return Array(
                repeating: [shape[0], shape[1], Dimension(length)], count: call.schema.resultCount ?? 1)
        }
        let input = try call.image("self")
        let size = try call.pair("output_size")
        let result: Shape = [input.batch, Dimension(input.channels), Dimension(size.0), Dimension(size.1)]
        return Array(repeating: result, count: call.schema.resultCount ?? 1)
    }

    /// How many places a window has along one axis. All magnitudes are bounded by now.
    func windows(
        _ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, ceil: Bool = false
    ) throws -> Int {
        let (reach, overflow) = dilation.multipliedReportingOverflow(by: kernel - 1)
        let (room, roomOverflow) = (size + 2 * padding - 1).subtractingReportingOverflow(reach)
        guard !overflow, !roomOverflow, room >= 0 else {
            throw failure(
                "A window of \(kernel) (dilation \(dilation)) does not fit \(size) + 2 * \(padding).")
        }
        let count = (room + (ceil ? stride - 1 : 0)) / stride + 1
        // The last window has to begin inside the input or its left padding.
        return ceil && (count - 1) * stride >= size + padding ? count - 1 : count
    }
}
