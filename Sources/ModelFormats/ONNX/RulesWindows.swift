import Graph
import Support

// bounded in this file: sizes by `GraphLimits`, windows by `spatialWindows`, blocks by 64.

/// Convolution, pooling and resampling over (N, C, H, W).
extension ONNXTranslator {
    static let windows: [String: Rule] = [
        "Conv": convolution, "MaxPool": maxPool, "AveragePool": averagePool,
        "GlobalAveragePool": { translator, operands in
            let shape = try translator.shape(operands, 0)
            let input = Graph.Argument.tensor(try translator.tensor(operands, 0))
            guard shape.count == 4 else {
                let axes = Array(2..<max(shape.count, 2))
                return [
                    try translator.emit(
                        "aten::mean", "dim",
                        [("self", input), ("dim", ints(axes)), ("keepdim", .bool(true))], operands)
                ]
            }
            return [
                try translator.emit(
                    "aten::adaptive_avg_pool2d", "", [("self", input), ("output_size", ints([1, 1]))],
                    operands)
            ]
        },
        "GlobalMaxPool": { translator, operands in
            let axes = Array(2..<max(try translator.shape(operands, 0).count, 2))
            return [
                try translator.emit(
                    "aten::amax", "",
                    [
                        ("self", .tensor(translator.tensor(operands, 0))), ("dim", ints(axes)),
                        ("keepdim", .bool(true)),
                    ],
                    operands)
            ]
        },
        "Resize": resize, "Upsample": resize, "AffineGrid": affineGrid, "GridSample": gridSample,
        "DepthToSpace": { translator, operands in
            let shape = try translator.shape(operands, 0)
            guard let block = operands.call.int("blocksize"), (1...64).contains(block), shape.count == 4,
                let channels = shape[1].known, channels % (block * block) == 0, let height = shape[2].known,
                let width = shape[3].known
            else { throw operands.call.failure("The block does not divide the channels.") }
            let input = try translator.tensor(operands, 0)
            if operands.call.string("mode") == "CRD" {
                return [
                    try translator.emit(
                        "aten::pixel_shuffle", "",
                        [("self", .tensor(input)), ("upscale_factor", int(block))], operands)
                ]
            }
            let (c, b) = (Dimension(channels / (block * block)), Dimension(block))
            let parts = try translator.reshape(
                input, [shape[0], b, b, c, Dimension(height), Dimension(width)], operands)
            let moved = try translator.builder.call(
                "aten::permute", "", [("self", .tensor(parts)), ("dims", ints([0, 3, 4, 1, 5, 2]))],
                name: "moved")[0]
            let result = try translator.reshape(
                moved, [shape[0], c, Dimension(height * block), Dimension(width * block)], operands)
            return [.tensor(result, .float32)]
        },
        "SpaceToDepth": { translator, operands in
            let shape = try translator.shape(operands, 0)
            guard let block = operands.call.int("blocksize"), (1...64).contains(block), shape.count == 4,
                let channels = shape[1].known, let height = shape[2].known, let width = shape[3].known,
                height % block == 0, width % block == 0
            else { throw operands.call.failure("The block does not divide the image.") }
            let (c, b) = (Dimension(channels), Dimension(block))
            let parts = try translator.reshape(
                translator.tensor(operands, 0),
                [shape[0], c, Dimension(height / block), b, Dimension(width / block), b], operands)
            let moved = try translator.builder.call(
                "aten::permute", "", [("self", .tensor(parts)), ("dims", ints([0, 3, 5, 1, 2, 4]))],
                name: "moved")[0]
            let result = try translator.reshape(
                moved,
                [
                    shape[0], Dimension(channels * block * block), Dimension(height / block),
                    Dimension(width / block),
                ],
                operands)
            return [.tensor(result, .float32)]
        },
    ]

    /// How a window moves over one axis.
    private struct Window {
        var kernel: Int
        var stride: Int
        var dilation: Int
        var before: Int
        var after: Int
    }

    private func spatialWindows(_ operands: Operands, kernel: [Int]) throws -> [Window] {
        let call = operands.call
        let sizes = try shape(operands, 0).dropFirst(2).compactMap(\.known)
        guard kernel.count == sizes.count, (1...2).contains(sizes.count),
            kernel.allSatisfy({ (1...4_096).contains($0) })
        else {
            throw call.failure(
                "Windows of \(kernel) do not fit the input: images or sequences are expected.")
        }
        let strides = call.ints("strides") ?? Array(repeating: 1, count: kernel.count)
        let dilations = call.ints("dilations") ?? Array(repeating: 1, count: kernel.count)
        let pads = call.ints("pads") ?? Array(repeating: 0, count: 2 * kernel.count)
        guard strides.count == kernel.count, dilations.count == kernel.count,
            pads.count == 2 * kernel.count,
            (strides + dilations).allSatisfy({ (1...4_096).contains($0) }),
            pads.allSatisfy({ (0...4_096).contains($0) })
        else { throw call.failure("Its strides, dilations or pads are out of range.") }
        return try kernel.indices.map { axis in
            var window = Window(
                kernel: kernel[axis], stride: strides[axis], dilation: dilations[axis], before: pads[axis],
                after: pads[axis + kernel.count])
            switch call.string("auto_pad") ?? "NOTSET" {
            case "NOTSET": break
            case "VALID": (window.before, window.after) = (0, 0)
            case "SAME_UPPER", "SAME_LOWER":
                let places = (sizes[axis] + window.stride - 1) / window.stride
                let reach = (places - 1) * window.stride + (window.kernel - 1) * window.dilation + 1
                let missing = max(reach - sizes[axis], 0)
                window.before = call.string("auto_pad") == "SAME_UPPER" ? missing / 2 : (missing + 1) / 2
                window.after = missing - window.before
            default: throw call.failure("auto_pad is unknown.")
            }
            return window
        }
    }

    /// Writes uneven padding out, and gives what is left for the operator itself.
    private mutating func padded(
        _ operands: Operands, _ windows: [Window], value: Double, always: Bool = false
    ) throws -> (Graph.ValueID, [Int]) {
        let input = try tensor(operands, 0)
        let isEven = windows.allSatisfy { $0.before == $0.after }
        if isEven, !always { return (input, windows.map(\.before)) }
        guard windows.contains(where: { $0.before + $0.after > 0 }) else {
            return (input, windows.map { _ in 0 })
        }
        let amounts = windows.reversed().flatMap { [$0.before, $0.after] }
        let result = try builder.call(
            "aten::constant_pad_nd", "",
            [("self", .tensor(input)), ("pad", Self.ints(amounts)), ("value", .float(value))],
            name: "padded")
        return (result[0], windows.map { _ in 0 })
    }

    private static let convolution: Rule = { translator, operands in
        let weight = try translator.tensor(operands, 1)
        let kernel = translator.builder.shape(of: weight).dropFirst(2).compactMap(\.known)
        let windows = try translator.spatialWindows(operands, kernel: kernel)
        let (input, padding) = try translator.padded(operands, windows, value: 0)
        return [
            try translator.emit(
                kernel.count == 2 ? "aten::conv2d" : "aten::conv1d", "",
                [
                    ("input", .tensor(input)), ("weight", .tensor(weight)),
                    ("bias", operands.has(2) ? .tensor(try translator.tensor(operands, 2)) : .none),
                    ("stride", ints(windows.map(\.stride))), ("padding", ints(padding)),
                    ("dilation", ints(windows.map(\.dilation))),
                    ("groups", int(operands.call.int("group") ?? 1)),
                ], operands)
        ]
    }

    private static let maxPool: Rule = { translator, operands in
        let windows = try translator.spatialWindows(
            operands, kernel: operands.call.ints("kernel_shape") ?? [])
        guard windows.count == 2, operands.call.node.output.dropFirst().allSatisfy(\.isEmpty) else {
            throw operands.call.failure("Only pooling of images, without indices, is supported.")
        }
        let isWide = windows.contains { max($0.before, $0.after) > $0.kernel / 2 }
        let (input, padding) = try translator.padded(
            operands, windows, value: -.infinity, always: isWide)
        return [
            try translator.emit(
                "aten::max_pool2d", "",
                [
                    ("self", .tensor(input)), ("kernel_size", ints(windows.map(\.kernel))),
                    ("stride", ints(windows.map(\.stride))), ("padding", ints(padding)),
                    ("dilation", ints(windows.map(\.dilation))),
                    ("ceil_mode", .bool(operands.call.int("ceil_mode") ?? 0 != 0)),
                ], operands)
        ]
    }

    private static let averagePool: Rule = { translator, operands in
        let call = operands.call
        let windows = try translator.spatialWindows(operands, kernel: call.ints("kernel_shape") ?? [])
        guard windows.count == 2, windows.allSatisfy({ $0.dilation == 1 }) else {
            throw call.failure("Only pooling of images, without dilation, is supported.")
        }
        let countsPadding = call.int("count_include_pad") ?? 0 != 0
        let ceil = call.int("ceil_mode") ?? 0 != 0
        let isSimple = windows.allSatisfy { $0.before == $0.after && $0.before <= $0.kernel / 2 }
        let (input, padding) = try translator.padded(operands, windows, value: 0, always: !isSimple)
        guard isSimple || !ceil else {
            throw call.failure("Uneven padding with ceil_mode is not supported.")
        }
        let result = try translator.emit(
            "aten::avg_pool2d", "",
            [
                ("self", .tensor(input)), ("kernel_size", ints(windows.map(\.kernel))),
                ("stride", ints(windows.map(\.stride))), ("padding", ints(padding)),
                ("ceil_mode", .bool(ceil)),
                ("count_include_pad", .bool(countsPadding || !isSimple)),
            ], operands)
        guard !isSimple, !countsPadding else { return [result] }
        // The padding was averaged in: each place is scaled by its share of real pixels.
        let sizes = try translator.shape(operands, 0).dropFirst(2).compactMap(\.known)
        let places = translator.shape(result).dropFirst(2).compactMap(\.known)
        guard sizes.count == 2, places.count == 2, places[0] * places[1] <= KnownTensor.maximumCount
        else {
            throw call.failure("The result is too large for uneven padding.")
        }
        func real(_ axis: Int, _ place: Int) -> Int {
            let start = place * windows[axis].stride - windows[axis].before
            return min(start + windows[axis].kernel, sizes[axis]) - max(start, 0)
        }
        let scales = (0..<places[0]).flatMap { row in
            (0..<places[1]).map { column in
                Double(windows[0].kernel * windows[1].kernel)
                    / Double(max(real(0, row) * real(1, column), 1))
            }
        }
        let factors = KnownTensor(type: .float32, shape: [1, 1] + places, elements: .numbers(scales))
        return [try translator.binary("aten::mul", result, .known(factors), operands)]
    }

    private static let resize: Rule = { translator, operands in
        let call = operands.call
        let shape = try translator.shape(operands, 0)
        let sizes = shape.dropFirst(2).compactMap(\.known)
        guard shape.count == 4, sizes.count == 2, call.ints("axes") == nil else {
            throw call.failure("Only (N, C, H, W) can be resized.")
        }
        var target: [Int]
        if operands.has(3), let wanted = try translator.known(operands.value(3))?.dimensions,
            wanted.count == 4,
            let height = wanted[2].known, let width = wanted[3].known
        {
            target = [height, width]
        } else if let scales = try translator.numbers(operands, call.name == "Upsample" ? 1 : 2),
            scales.count == 4,
            scales[0] == 1, scales[1] == 1
        {
            target = try zip(sizes, scales[2...]).map { size, scale in
                guard let side = Checked.whole(Double(size) * scale, in: 1...65_536) else {
                    throw call.failure("A scale of \(scale) for \(size) pixels is not possible.")
                }
                return side
            }
        } else {
            throw call.failure("Neither sizes nor scales of height and width are known.")
        }
        let mode = call.string("mode") ?? "nearest"
        let place =
            call.string("coordinate_transformation_mode")
            ?? (call.name == "Upsample" ? "asymmetric" : "half_pixel")
        var arguments: [(String, Graph.Argument)] = [
            ("self", .tensor(try translator.tensor(operands, 0))), ("output_size", ints(target)),
        ]
        guard call.int("antialias") ?? 0 == 0, call.int("exclude_outside") ?? 0 == 0 else {
            throw call.failure("Antialiasing is not supported.")
        }
        switch mode {
        case "nearest":
            let isWhole = zip(sizes, target).allSatisfy { $1 >= $0 && $1 % $0 == 0 }
            let isFloor = place == "asymmetric" && (call.string("nearest_mode") ?? "") == "floor"
            guard isFloor || isWhole else {
                throw call.failure("Rounding of this kind is not supported.")
            }
            return [try translator.emit("aten::upsample_nearest2d", "", arguments, operands)]
        case "linear", "cubic":
            guard ["half_pixel", "pytorch_half_pixel", "align_corners"].contains(place) else {
                throw call.failure("Coordinates of the kind “\(place.prefix(40))” are not supported.")
            }
            guard mode == "linear" || call.float("cubic_coeff_a") ?? -0.75 == -0.75 else {
                throw call.failure("Another cubic coefficient than -0.75 is not supported.")
            }
            arguments.append(("align_corners", .bool(place == "align_corners")))
            return [
                try translator.emit(
                    mode == "linear" ? "aten::upsample_bilinear2d" : "aten::upsample_bicubic2d", "",
                    arguments, operands)
            ]
        default: throw call.failure("The mode “\(mode.prefix(40))” is not supported.")
        }
    }
}
