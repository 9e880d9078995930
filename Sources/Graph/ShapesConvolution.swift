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
