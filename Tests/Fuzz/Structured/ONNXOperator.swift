@testable import ModelFormats

/// How an operator is written: a letter for each input, and its attributes with their usual values.
///
/// Inputs that are there: `x` a tensor of images, `w` a kernel, `c` a vector of 3, `q` a matrix, `i` whole numbers, `n`
/// one whole number, `f` numbers with a point, `a` anything, `-` left out. Constants of the node's own: `v` one whole
/// number in a list, `s` sizes of the images, `p` amounts of padding, `g` scales of the four dimensions, `r` one number
/// with a point, `e` and `E` one number from the ends of its type, whole or with a point, `b` a condition.
struct ONNXOperator {
    enum Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
        ExpressibleByArrayLiteral
    {
        case int(Int64)
        case ints([Int64])
        case real(Double)
        case reals([Double])
        case word(String)
        /// A tensor of one number.
        case tensor
        /// Its type and its bytes.
        case constant(Int64, [UInt8])

        init(integerLiteral value: Int64) { self = .int(value) }
        init(floatLiteral value: Double) { self = .real(value) }
        init(stringLiteral value: String) { self = .word(value) }
        init(arrayLiteral elements: Int64...) { self = .ints(elements) }
    }

    var name: String
    var inputs: String
    var attributes: KeyValuePairs<String, Value>
    var results = 1

    init(_ name: String, _ inputs: String, _ attributes: KeyValuePairs<String, Value> = [:], results: Int = 1)
    {
        self.name = name
        self.inputs = inputs
        self.attributes = attributes
        self.results = results
    }

    /// Every operator that is read: as it is described, or else on one tensor and on two.
    static let all: [ONNXOperator] = {
        let described = [shapes, pairs, comparisons, elementwise, images, reductions, products].flatMap { $0 }
        let names = Set(described.map(\.name))
        let others = ONNXTranslator.rules.keys.filter { !names.contains($0) }.sorted()
        return described
            + forms(others, ["x", "a", "xa", "aaa"])
    }()

    private static func forms(_ names: [String], _ inputs: [String]) -> [ONNXOperator] {
        names.flatMap { name in inputs.map { ONNXOperator(name, $0) } }
    }

    /// What computes sizes and indices.
    static let shapes: [ONNXOperator] = [
        .init("Shape", "a", ["start": 0, "end": 4]), .init("Shape", "x"), .init("Size", "a"),
        .init("Slice", "iii"), .init("Slice", "aiiii"), .init("Slice", "xvvvv"), .init("Slice", "xvv"),
        .init("Slice", "ivv"), .init("Slice", "ivvvv"), .init("Slice", "ivvve"), .init("Slice", "xeeee"),
        .init("Gather", "ai", ["axis": 0]), .init("Gather", "in", ["axis": 0]),
        .init("Gather", "xn", ["axis": 1]), .init("Gather", "xv", ["axis": 2]),
        .init("Range", "nnn"), .init("Range", "eee"), .init("Range", "EEE"), .init("Range", "rrr"),
        .init("Range", "nen"),
        .init("Concat", "aa", ["axis": 0]), .init("Concat", "iii", ["axis": 0]),
        .init("Concat", "xx", ["axis": 1]),
        .init("Reshape", "ai"), .init("Reshape", "xs", ["allowzero": 0]), .init("Reshape", "xs"),
        .init("Expand", "ai"), .init("Expand", "xs"), .init("Expand", "cs"),
        .init("ConstantOfShape", "i", ["value": .tensor]), .init("ConstantOfShape", "s", ["value": .tensor]),
        .init("Unsqueeze", "ai"), .init("Unsqueeze", "xv"), .init("Unsqueeze", "x", ["axes": [0, 4]]),
        .init("Squeeze", "ai"), .init("Squeeze", "a"), .init("Squeeze", "xv"),
        .init("Transpose", "a", ["perm": [1, 0]]), .init("Transpose", "x", ["perm": [0, 2, 3, 1]]),
        .init("Flatten", "a", ["axis": 1]), .init("Flatten", "x", ["axis": 2]),
        .init("ScatterND", "aia"), .init("ScatterND", "xvx"), .init("ScatterND", "iai"),
        .init("GatherND", "ai", ["batch_dims": 0]), .init("GatherND", "xv"),
        .init("GatherElements", "ai", ["axis": 0]), .init("GatherElements", "xx", ["axis": 1]),
        .init("Tile", "ai"), .init("Tile", "xs"), .init("CumSum", "an", ["exclusive": 0]),
        .init("CumSum", "xn"),
        .init("Trilu", "xn", ["upper": 1]), .init("Trilu", "q"),
        .init("Constant", "", ["value_ints": [1, 2, 3]]), .init("Constant", "", ["value_int": 1]),
        .init("Constant", "", ["value_float": 0.5]),
        .init("Constant", "", ["value_floats": .reals([1, 1, 2, 2])]),
        .init("Constant", "", ["value": .tensor]),
        .init("ReduceProd", "a", ["keepdims": 1]), .init("ReduceProd", "i"),
        .init("ReduceMax", "i", ["keepdims": 0]),
        .init("ArgMax", "x", ["axis": 1, "keepdims": 1]), .init("ArgMax", "a", ["axis": 0]),
    ]

    static let pairs = forms(
        ["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Pow"],
        ["aa", "ii", "nn", "xa", "ff", "ee", "xr", "xe"])

    static let comparisons = forms(
        ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor"], ["aa", "in"])

    static let elementwise: [ONNXOperator] = [
        .init("Where", "aaa"), .init("Where", "bxx"), .init("Where", "bii"), .init("Neg", "a"),
        .init("Neg", "e"), .init("Abs", "a"), .init("Abs", "e"), .init("Not", "a"), .init("Floor", "f"),
        .init("Ceil", "f"), .init("Round", "f"), .init("Sqrt", "f"), .init("Exp", "f"), .init("Log", "f"),
        .init("Reciprocal", "f"), .init("Cast", "a", ["to": 7]), .init("Cast", "f", ["to": 7]),
        .init("Cast", "E", ["to": 7]), .init("Cast", "e", ["to": 6]), .init("CastLike", "fi"),
        .init("CastLike", "xi"), .init("LeakyRelu", "x", ["alpha": 0.1]), .init("Elu", "x", ["alpha": 1.0]),
        .init("Celu", "x", ["alpha": 1.0]), .init("ThresholdedRelu", "x", ["alpha": 1.0]),
        .init("Gelu", "x", ["approximate": "tanh"]), .init("Selu", "x", ["alpha": 1.6, "gamma": 1.05]),
        .init("HardSigmoid", "x", ["alpha": 0.2, "beta": 0.5]), .init("Swish", "x", ["alpha": 0.5]),
        .init("PRelu", "xc"), .init("PRelu", "xr"), .init("Clip", "xrr"), .init("Clip", "x-r"),
        .init("Clip", "xff"), .init("Clip", "x", ["min": 0.0, "max": 6.0]),
        .init("Dropout", "xr", results: 2),
        .init("Dropout", "x", ["ratio": 0.5]), .init("Sum", "xxx"), .init("Mean", "xx"),
    ]

    /// What has windows, or changes the resolution.
    static let images: [ONNXOperator] = [
        .init("Resize", "x-f"), .init("Resize", "x-g"), .init("Resize", "x-g", ["mode": "linear"]),
        .init("Resize", "x--i", ["mode": "linear"]), .init("Resize", "x--s", ["mode": "nearest"]),
        .init("Resize", "x-g", ["mode": "cubic", "cubic_coeff_a": -0.75]),
        .init(
            "Resize", "x-g",
            ["mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"]),
        .init("Upsample", "xf", ["mode": "nearest"]), .init("Upsample", "xg", ["mode": "linear"]),
        .init("Split", "x", ["axis": 1], results: 3), .init("Split", "xi", ["axis": 1], results: 3),
        .init("Split", "x", ["axis": 1, "split": [1, 2]], results: 2),
        .init("Split", "a", ["axis": 0], results: 2),
        .init("Pad", "xp"), .init("Pad", "xpr", ["mode": "constant"]), .init("Pad", "xii"),
        .init("Pad", "x", ["pads": [0, 0, 1, 1, 0, 0, 1, 1], "mode": "reflect"]), .init("Pad", "xv-v"),
        .init("Pad", "x", ["pads": [0, 0, 1, 1, 0, 0, 1, 1], "mode": "edge"]),
        .init("Pad", "x", ["pads": [0, 0, 0, 0, 0, 0, 1, 1], "value": 0.5]),
        .init("Conv", "xw", ["strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 1]),
        .init("Conv", "xw", ["strides": [2, 2], "auto_pad": "SAME_UPPER"]),
        .init("Conv", "xw", ["strides": [1, 1], "dilations": [2, 2], "auto_pad": "SAME_LOWER"]),
        .init("MaxPool", "x", ["kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 0, 0]]),
        .init(
            "MaxPool", "x",
            ["kernel_shape": [2, 2], "ceil_mode": 1, "dilations": [1, 1], "storage_order": 0]),
        .init("MaxPool", "x", ["kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"]),
        .init("AveragePool", "x", ["kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 1, 1, 0]]),
        .init("AveragePool", "x", ["kernel_shape": [2, 2], "ceil_mode": 1, "count_include_pad": 1]),
        .init("DepthToSpace", "x", ["blocksize": 1]),
        .init("DepthToSpace", "x", ["blocksize": 1, "mode": "CRD"]),
        .init("SpaceToDepth", "x", ["blocksize": 2]), .init("GlobalAveragePool", "x"),
        .init("GlobalMaxPool", "x"),
    ]

    static let reductions = [
        "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
        "ReduceLogSumExp",
    ].flatMap { name in
        [
            ONNXOperator(name, "x", ["axes": [2, 3], "keepdims": 1]),
            ONNXOperator(name, "xv", ["keepdims": 0, "noop_with_empty_axes": 0]),
        ]
    }

    /// Products and normalisations.
    static let products: [ONNXOperator] = [
        .init("LRN", "x", ["size": 3, "alpha": 0.0001, "beta": 0.75, "bias": 1.0]),
        .init("GroupNormalization", "xcc", ["num_groups": 3, "epsilon": 0.00001]),
        .init("Softmax", "x", ["axis": 1]), .init("LogSoftmax", "x", ["axis": 1]),
        .init("LayerNormalization", "xa", ["axis": 3, "epsilon": 0.00001], results: 3),
        .init("RMSNormalization", "xa", ["axis": 3, "epsilon": 0.00001]),
        .init("LpNormalization", "x", ["axis": 1, "p": 2]),
        .init("InstanceNormalization", "xcc", ["epsilon": 0.00001]),
        .init("BatchNormalization", "xcccc", ["epsilon": 0.00001, "momentum": 0.9, "training_mode": 0]),
        .init("Gemm", "qq", ["transA": 0, "transB": 1, "alpha": 1.0]),
        .init("Gemm", "qqq", ["alpha": 2.0, "beta": 0.5]), .init("MatMul", "xq"), .init("MatMul", "qq"),
        .init("Einsum", "xq", ["equation": "nchw,wo->ncho"]), .init("Einsum", "qq", ["equation": "ab,bc"]),
        .init("Attention", "xxx", ["is_causal": 0, "scale": 0.5, "softcap": 0.0]),
        .init("Attention", "xxxx", ["is_causal": 1]),
    ]
}
