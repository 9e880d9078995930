import Graph
import Support

/// Spatial transformers over (N, C, H, W).
extension ONNXTranslator {
    static let affineGrid: Rule = { translator, operands in
        guard let sizes = try translator.known(operands.value(1))?.dimensions, sizes.count == 4 else {
            throw operands.call.failure("Its sizes are not those of a batch of images.")
        }
        let theta = try translator.tensor(operands, 0)
        // A model that was exported for one image is opened up: as many grids as there are matrices.
        let batch = try translator.shape(operands, 0).first ?? sizes[0]
        let size = try ([batch] + sizes.dropFirst()).map { try translator.builder.size($0) }
        return [
            try translator.emit(
                "aten::affine_grid_generator", "",
                [
                    ("theta", .tensor(theta)), ("size", .ints(size)),
                    ("align_corners", .bool(operands.call.int("align_corners") == 1)),
                ], operands)
        ]
    }

    static let gridSample: Rule = { translator, operands in
        let modes = ["bilinear": 0, "linear": 0, "nearest": 1, "bicubic": 2, "cubic": 2]
        let paddings = ["zeros": 0, "border": 1, "reflection": 2]
        let mode = operands.call.string("mode") ?? "bilinear"
        let padding = operands.call.string("padding_mode") ?? "zeros"
        guard let interpolation = modes[mode], let border = paddings[padding] else {
            throw operands.call.failure(
                "The mode “\(mode.prefix(40))” or “\(padding.prefix(40))” is unknown.")
        }
        return [
            try translator.emit(
                "aten::grid_sampler", "",
                [
                    ("input", .tensor(translator.tensor(operands, 0))),
                    ("grid", .tensor(translator.tensor(operands, 1))),
                    ("interpolation_mode", int(interpolation)), ("padding_mode", int(border)),
                    ("align_corners", .bool(operands.call.int("align_corners") == 1)),
                ], operands)
        ]
    }
}
