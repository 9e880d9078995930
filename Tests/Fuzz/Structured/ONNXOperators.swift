/// How an operator is written: a letter for each input, and its attributes with their usual values.
///
/// Inputs: `x` a tensor of images, `w` a kernel, `c` a vector of 3, `q` a matrix, `i` whole numbers, `n` one whole number,
/// `f` numbers with a point, `a` anything, `-` left out.
struct ONNXOperator {
    var name: String
    var inputs: String
    var attributes: [(name: String, numbers: [Int64])]
    var words: [(name: String, word: String)]

    init(
        _ name: String, _ inputs: String, _ attributes: [(String, [Int64])] = [],
        _ words: [(String, String)] = []
    ) {
        self.name = name
        self.inputs = inputs
        self.attributes = attributes.map { (name: $0.0, numbers: $0.1) }
        self.words = words.map { (name: $0.0, word: $0.1) }
    }

    static let shapes: [ONNXOperator] = [
        .init("Shape", "a", [("start", [0]), ("end", [4])]), .init("Size", "a"), .init("Slice", "iii"),
        .init("Slice", "aiiii"), .init("Gather", "ai", [("axis", [0])]),
        .init("Gather", "in", [("axis", [0])]),
        .init("Range", "nnn"), .init("Range", "fff"), .init("Add", "aa"), .init("Sub", "aa"),
        .init("Mul", "aa"),
        .init("Div", "aa"), .init("Mod", "aa"), .init("Min", "aa"), .init("Max", "aa"), .init("Pow", "aa"),
        .init("Concat", "aa", [("axis", [0])]), .init("Concat", "iii", [("axis", [0])]),
        .init("Reshape", "ai"),
        .init("Expand", "ai"), .init("ConstantOfShape", "i"), .init("Where", "aaa"), .init("Unsqueeze", "ai"),
        .init("Squeeze", "ai"), .init("Transpose", "a", [("perm", [1, 0])]),
        .init("Flatten", "a", [("axis", [1])]),
        .init("ScatterND", "aia"), .init("GatherND", "ai"), .init("Tile", "ai"),
        .init("Cast", "a", [("to", [7])]),
        .init("ReduceProd", "a", [("keepdims", [1])]), .init("ReduceSum", "ai", [("keepdims", [1])]),
        .init("ReduceMax", "a"), .init("Equal", "aa"), .init("Less", "aa"), .init("Neg", "a"),
        .init("Not", "a"),
        .init("Floor", "f"), .init("Exp", "f"), .init("Reciprocal", "f"), .init("Identity", "a"),
        .init("Constant", "", [("value_ints", [1, 2, 3])]), .init("Constant", "", [("value_int", [1])]),
        .init("GatherElements", "ai", [("axis", [0])]), .init("CumSum", "an"), .init("Trilu", "an"),
    ]

    static let images: [ONNXOperator] = [
        .init("Resize", "x-f"), .init("Resize", "x--i", [], [("mode", "linear")]),
        .init("Upsample", "xf", [], [("mode", "nearest")]), .init("Split", "x", [("axis", [1])]),
        .init("Split", "xi", [("axis", [1])]), .init("Split", "x", [("axis", [1]), ("split", [1, 2])]),
        .init("Pad", "xi"), .init("Pad", "x", [("pads", [0, 0, 1, 1, 0, 0, 1, 1])], [("mode", "reflect")]),
        .init(
            "Conv", "xw",
            [("strides", [1, 1]), ("dilations", [1, 1]), ("pads", [0, 0, 0, 0]), ("group", [1])]),
        .init("Conv", "xw", [("strides", [2, 2])], [("auto_pad", "SAME_UPPER")]),
        .init("MaxPool", "x", [("kernel_shape", [2, 2]), ("strides", [2, 2]), ("pads", [0, 0, 0, 0])]),
        .init("MaxPool", "x", [("kernel_shape", [2, 2]), ("ceil_mode", [1])]),
        .init(
            "AveragePool", "x", [("kernel_shape", [2, 2]), ("strides", [2, 2]), ("pads", [0, 1, 1, 0])]),
        .init("DepthToSpace", "x", [("blocksize", [1])]), .init("SpaceToDepth", "x", [("blocksize", [2])]),
        .init("LRN", "x", [("size", [3])]), .init("GroupNormalization", "xcc", [("num_groups", [3])]),
        .init("Softmax", "x", [("axis", [1])]), .init("LayerNormalization", "xa", [("axis", [3])]),
        .init("LpNormalization", "x", [("axis", [1]), ("p", [2])]), .init("ArgMax", "x", [("axis", [1])]),
        .init("Gemm", "qq", [("transB", [1])]), .init("MatMul", "xq"), .init("GlobalAveragePool", "x"),
        .init("GlobalMaxPool", "x"), .init("InstanceNormalization", "xcc"),
        .init("BatchNormalization", "xcccc"),
        .init("ReduceMean", "x", [("axes", [2, 3])]), .init("Clip", "xff"), .init("Dropout", "xf"),
        .init("Attention", "xxx"), .init("Einsum", "xq", [], [("equation", "nchw,wo->ncho")]),
    ]
}
